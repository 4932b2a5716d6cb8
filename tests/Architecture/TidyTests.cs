using System.Text.RegularExpressions;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>The style rules that a machine can check. A failure lists every offender as file:line.</summary>
public sealed partial class TidyTests
{
    private const int LongestFile = 400;

    private static readonly string[] SourceEndings = [".cs", ".c", ".h", ".cc", ".cpp", ".hpp", ".sol", ".js", ".mjs", ".css", ".html", ".sh", ".cmake"];
    private static readonly string[] BinaryEndings = [".dll", ".exe", ".pdb", ".so", ".a", ".o", ".dylib", ".nupkg", ".node"];

    // Joined here so that no file of the repository names such a host.
    private static readonly string[] RegistryHosts =
    [
        string.Join('.', "npmjs", "org"), string.Join('.', "npmjs", "com"), string.Join('.', "yarnpkg", "com"), string.Join('.', "nuget", "org"),
        string.Join('.', "pypi", "org"), string.Join('.', "pythonhosted", "org"), string.Join('.', "deb", "debian", "org"), string.Join('.', "crates", "io"),
        string.Join('.', "golang", "org"), string.Join('.', "rubygems", "org"), string.Join('.', "repo", "maven"),
    ];

    private static IEnumerable<string> Sources => Repository.Files("src", "native", "contracts").Where(IsSource);

    [Fact]
    public void Source_Length_IsAtMost400Lines() => Clean(
        from file in Sources
        let lines = Repository.Read(file).Count(letter => letter == '\n')
        where lines > LongestFile
        select $"{file}: {lines} lines");

    [Fact]
    public void Source_Ending_IsANewline() => Clean(
        from file in Sources let text = Repository.Read(file) where !text.EndsWith('\n') || text.Contains('\r') select file);

    [Fact]
    public void CSharp_Tabs_AreNone() => Clean(Matches(CSharp("src", "tests", "benchmarks"), Tab()));

    [Fact]
    public void Source_UnfinishedWork_IsNone() => Clean(Matches(Sources, Unfinished()));

    [Fact]
    public void Source_RegistryHosts_AreNone() => Clean(
        from file in Repository.Files("src", "native", "contracts")
        let text = Repository.Read(file)
        from host in RegistryHosts
        where text.Contains(host, StringComparison.OrdinalIgnoreCase)
        select $"{file}: names {host}");

    [Fact]
    public void CSharp_SystemClock_IsInjectedInstead() => Clean(Matches(CSharp("src"), SystemClock()));

    [Fact]
    public void CSharp_TypeNames_SayWhatTheTypeIs() => Clean(Matches(CSharp("src", "tests", "benchmarks"), VagueName()));

    [Fact]
    public void CSharp_Internals_AreShownToNobody() =>
        Clean(Matches(Repository.Files("src").Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".csproj", StringComparison.Ordinal)), FriendAssembly()));

    [Fact]
    public void Repository_BuildOutput_IsNotTracked() => Clean(
        from file in Repository.Files()
        where BinaryEndings.Contains(Path.GetExtension(file)) || file.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or "node_modules")
        select file);

    [Fact]
    public void Rules_OnSamples_FindWhatTheyForbid()
    {
        Assert.Matches(Unfinished(), "// " + "TO" + "DO later");
        Assert.Matches(Unfinished(), "throw new NotImplemented" + "Exception()");
        Assert.Matches(SystemClock(), "var now = DateTime." + "UtcNow;");
        Assert.Matches(SystemClock(), "var now = DateTimeOffset ." + "Now;");
        Assert.Matches(VagueName(), "internal static class Text" + "Helpers");
        Assert.Matches(VagueName(), "record struct Key" + "Manager(int x)");
        Assert.DoesNotMatch(VagueName(), "class HelperlessThing");
        Assert.DoesNotMatch(SystemClock(), "time.GetUtcNow()");
        Assert.NotEmpty(Sources);
    }

    private static bool IsSource(string file) => SourceEndings.Contains(Path.GetExtension(file)) || Path.GetFileName(file) == "CMakeLists.txt";

    private static IEnumerable<string> CSharp(params string[] folders) => Repository.Files(folders).Where(file => file.EndsWith(".cs", StringComparison.Ordinal));

    private static IEnumerable<string> Matches(IEnumerable<string> files, Regex pattern) =>
        from file in files
        from line in Repository.Read(file).Split('\n').Select((text, index) => (Text: text, Number: index + 1))
        where pattern.IsMatch(line.Text)
        select $"{file}:{line.Number}: {line.Text.Trim()}";

    private static void Clean(IEnumerable<string> offenders)
    {
        string[] found = [.. offenders];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    [GeneratedRegex("\t")]
    private static partial Regex Tab();

    [GeneratedRegex(@"\b(TODO|FIXME)\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bDateTime(Offset)?\s*\.\s*(Utc)?Now\b|\bDateTime\s*\.\s*Today\b")]
    private static partial Regex SystemClock();

    [GeneratedRegex(@"\b(class|struct|record|interface)\s+\w*(Util|Utils|Utilities|Helper|Helpers|Manager|Managers)\b")]
    private static partial Regex VagueName();

    [GeneratedRegex("InternalsVisibleTo")]
    private static partial Regex FriendAssembly();
}
