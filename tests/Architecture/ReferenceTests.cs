using System.Xml.Linq;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>Who may know whom. A room that is not in the table, or a reference that the table does not allow, fails.</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Formats"] = [],
        ["Engine"] = ["Formats"],
        ["Attestation"] = ["Formats"],
        ["Settlement"] = ["Formats"],
        ["Verification"] = ["Formats", "Engine", "Attestation"],
        ["LanguageModels"] = ["Formats", "Engine"],
        ["TorchSharp"] = ["Formats", "Engine"],
        ["Hosting"] = ["Formats", "Engine", "Attestation", "Settlement", "Verification", "LanguageModels", "TorchSharp"],
        ["Host"] = ["Hosting"],
    };

    // Source of another folder passes by the table, so it is named here with the rooms that take it.
    private static readonly Dictionary<string, string[]> Linked = new() { ["../Native/*.cs"] = ["Attestation", "Engine", "LanguageModels"] };

    private static string[] Found => [.. Repository.Files("src").Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))];

    public static TheoryData<string> Projects => [.. Found];

    [Theory, MemberData(nameof(Projects))]
    public void Project_References_AreAllowedByTheTable(string project)
    {
        var room = Room(project);
        Assert.True(Allowed.ContainsKey(room), $"{project}: the room '{room}' is not in the table");
        foreach (var target in Included(project, "ProjectReference"))
        {
            var path = Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(project)!, target)));
            Assert.True(path.StartsWith("src/", StringComparison.Ordinal), $"{project}: references {path}, outside of src");
            Assert.True(Allowed[room].Contains(Room(path)), $"{room} may not reference {Room(path)}");
        }
    }

    [Theory, MemberData(nameof(Projects))]
    public void Project_WebFramework_IsTheHostsAlone(string project)
    {
        if (Room(project) == "Host") return;
        Assert.Equal("Microsoft.NET.Sdk", XDocument.Parse(Repository.Read(project)).Root?.Attribute("Sdk")?.Value);
        Assert.Empty(Included(project, "FrameworkReference"));
    }

    [Theory, MemberData(nameof(Projects))]
    public void Project_PlainReferences_AreNone(string project) =>
        // The adapter may be built against an assembly that somebody has, named on the command line.
        Assert.Equal(Room(project) == "TorchSharp" ? ["TorchSharp"] : [], Included(project, "Reference"));

    [Theory, MemberData(nameof(Projects))]
    public void Project_SourceOfOtherFolders_IsAllowedByTheTable(string project) =>
        Assert.All(Included(project, "Compile").Where(file => file.Length > 0), file => Assert.True(Linked.TryGetValue(file, out var rooms) && rooms.Contains(Room(project)), $"{project}: compiles {file}"));

    [Fact]
    public void LinkedSource_OfNative_IsInternalAndKnowsNoRoom()
    {
        string[] files = [.. Repository.Files("src/Native").Where(file => !file.EndsWith(".md", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        Assert.All(files, file =>
        {
            Assert.EndsWith(".cs", file);
            string[] lines = Repository.Read(file).Split('\n');
            Assert.DoesNotContain(lines, line => line.StartsWith("public ", StringComparison.Ordinal) || line.StartsWith("using OpenGradient", StringComparison.Ordinal));
            Assert.Contains("namespace OpenGradient.Engine.Native;", lines);
        });
    }

    [Fact]
    public void Formats_Packages_AreNone() => Assert.Empty(Included("src/Formats/OpenGradient.Engine.Formats.csproj", "PackageReference"));

    [Fact]
    public void Projects_Found_AreAtLeastTheFirstRooms() =>
        Assert.Superset(new HashSet<string> { "Formats", "Engine", "Attestation", "Settlement", "Verification", "Hosting", "Host" }, Found.Select(Room).ToHashSet());

    private static string Room(string project) => project.Split('/')[1];

    private static IEnumerable<string> Included(string project, string item) =>
        XDocument.Parse(Repository.Read(project)).Descendants(item).Select(each => each.Attribute("Include")?.Value.Replace('\\', '/') ?? "");
}
