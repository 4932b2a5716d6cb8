using System.Text.RegularExpressions;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed partial class ReadmeTests
{
    [Fact]
    public void Readme_EmbeddingExample_IsTheOneThatIsCompiled()
    {
        var root = RepositoryRoot.Path;
        var shown = CSharpBlock().Match(File.ReadAllText(Path.Combine(root, "README.md"))).Groups[1].Value;

        Assert.Equal(File.ReadAllText(Path.Combine(root, "examples/Embedding/Program.cs")).TrimEnd(), shown);
    }

    [Fact]
    public void Readme_EveryLocalLink_LeadsToAFile()
    {
        var root = RepositoryRoot.Path;
        var missing = LocalLink().Matches(File.ReadAllText(Path.Combine(root, "README.md")))
            .Select(link => link.Groups[1].Value)
            .Where(path => !File.Exists(Path.Combine(root, path)))
            .ToArray();

        Assert.Empty(missing);
    }

    [GeneratedRegex("```csharp\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex(@"\]\(((?!http)[^)#]+)\)")]
    private static partial Regex LocalLink();
}
