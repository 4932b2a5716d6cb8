using System.Reflection;
using System.Text.RegularExpressions;
using OpenGradient.Engine.Attestation.Tests.Verification.Tdx;
using OpenGradient.Engine.Attestation.Verification;

namespace OpenGradient.Engine.Attestation.Tests.Verification;

/// <summary>Holds the table "kind × check × test" of docs/attestation.md against the code and the captured evidence.</summary>
public sealed partial class CheckTableTests
{
    private const string Title = "## Kind × check × test", Verdicts = "### Verdicts of captured evidence", Next = "## Certificate paths";
    private const int Kinds = 5;

    // In the order of the columns; the folder's name is the namespace's last part.
    private static readonly string[] Folders = ["Nitro", "SevSnp", "Tdx", "Tpm", "Nvidia"];

    // Test evidence of one kind each, by the folders of the vectors.
    private static readonly (string Kind, string Folder)[] Captured = [("nitro", "nitro"), ("sev-snp", "snp"), ("tdx", "tdx/quotes"), ("tdx", "tdx/negative"), ("tpm", "tpm"), ("nvidia", "nvidia")];

    private static readonly string[] Evidence = [".cose", ".report.bin", ".bin"];

    [Fact]
    public void Table_Rows_AreTheChecksInTheirOrder() =>
        Assert.Equal([.. Enum.GetNames<AttestationCheck>(), "any input", "captured"], Checks().Select(row => row[0]));

    [Fact]
    public void Table_EveryCell_NamesTestsOrSaysWhyNot()
    {
        foreach (var row in Checks())
        {
            Assert.Equal(1 + Kinds, row.Length);
            Assert.All(row[1..], cell => Assert.True(Names(cell).Length > 0 || (cell.StartsWith("n/a, ", StringComparison.Ordinal) && cell.Length > 15), $"{row[0]}: {cell}"));
        }
    }

    [Fact]
    public void Table_EveryNamedTest_IsATestOfItsKind()
    {
        foreach (var row in Checks())
        {
            for (var kind = 0; kind < Kinds; kind++)
            {
                var tests = TestsOf(Folders[kind]);
                Assert.All(Names(row[1 + kind]).Where(name => name[0] != ':'), name => Assert.True(tests.Contains(name), $"{row[0]}, {Folders[kind]}: no test {name}"));
            }
        }
    }

    [Fact]
    public void Table_EveryCaseOfTdx_StandsInTheRowOfItsCheck()
    {
        var named = Checks().SelectMany(row => row[1..].SelectMany(Names).Where(name => name[0] == ':').Select(name => (Name: name[1..], Check: row[0]))).Order();

        Assert.Equal(TdxVerifierTests.Cases.Select(entry => (entry.Name, Check: entry.Check.ToString())).Order(), named);
    }

    [VectorFact]
    public void Verdicts_EveryNamedEvidence_IsCaptured()
    {
        var rows = Rows(Section(Verdicts, Next));

        Assert.Equal(Captured.Select(entry => entry.Kind).Distinct(), rows.Select(row => row[0]));
        foreach (var row in rows)
        {
            var there = Captured.Where(entry => entry.Kind == row[0]).SelectMany(entry => Stems(entry.Folder));
            // A folder may hold more than the project has judged: that is tried all the same, by the folder's own manifests.
            Assert.Subset(there.ToHashSet(), row[1..4].SelectMany(Names).ToHashSet());
        }
    }

    private static HashSet<string> TestsOf(string folder) =>
    [
        .. typeof(CheckTableTests).Assembly.GetTypes().Where(type => type.Namespace == $"{typeof(CheckTableTests).Namespace}.{folder}")
            .SelectMany(type => type.GetMethods()).Where(method => method.GetCustomAttribute<FactAttribute>() is not null).Select(method => method.Name),
    ];

    // A TPM's vector is a folder; the others are files.
    private static IEnumerable<string> Stems(string folder)
    {
        var path = Vectors.PathOf(folder.Split('/'));
        if (folder == "tpm") return Directory.GetDirectories(path).Select(name => Path.GetFileName(name)!);
        return Directory.GetFiles(path).Select(file => Path.GetFileName(file)!)
            .Where(file => Array.Exists(Evidence, ending => file.EndsWith(ending, StringComparison.Ordinal)) && file.Split('.').Length <= (file.Contains(".report.", StringComparison.Ordinal) ? 3 : 2))
            .Select(file => file.Split('.')[0]);
    }

    private static string[][] Checks() => Rows(Section(Title, Verdicts));

    private static string[][] Rows(string section) =>
        [.. section.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Trim('|', ' ').Split(" | "))];

    private static string Section(string title, string next)
    {
        var text = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "attestation.md"));
        var start = text.IndexOf(title, StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/attestation.md has no section {title}");
        return text[start..text.IndexOf(next, start, StringComparison.Ordinal)];
    }

    private static string[] Names(string cell) => [.. Quoted().Matches(cell).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
