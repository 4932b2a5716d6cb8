using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

/// <summary>The vectors in <c>tests/vectors/tokenizers</c>: a tokenizer, and what the reference makes of texts with it.</summary>
internal static class TokenizerVectors
{
    public static string Folder { get; } = Path.Combine(Root(), "tests", "vectors", "tokenizers");

    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Where(name => name != "forms").Order(StringComparer.Ordinal);

    public static (Tokenizer Tokenizer, IReadOnlyList<JsonElement> Cases) Read(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".json")));
        var root = document.RootElement.Clone();
        return (Parse(root.GetProperty("tokenizer").GetRawText()), [.. root.GetProperty("cases").EnumerateArray()]);
    }

    public static Tokenizer Parse(string json) => Tokenizer.Parse(Encoding.UTF8.GetBytes(json));

    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException($"no solution above {AppContext.BaseDirectory}");
    }
}
