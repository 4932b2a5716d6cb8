using System.Globalization;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>A captured report with its leaf, as the folder's manifest describes it.</summary>
internal sealed record SnpVector
{
    public required string Name { get; init; }

    public required string Product { get; init; }

    public required bool IsVlek { get; init; }

    public required int Version { get; init; }

    public required int Vmpl { get; init; }

    public required string Expected { get; init; }

    public required string Measurement { get; init; }

    public required byte[] ReportData { get; init; }

    /// <summary>The leaf's first day and last day.</summary>
    public required (DateTimeOffset From, DateTimeOffset To) Valid { get; init; }

    public DateTimeOffset At => Valid.From.AddDays(2);

    public byte[] Report => Vectors.Read("snp", $"{Name}.report.bin");

    /// <summary>What accepts this report if it is genuine and not a debug guest's: nothing that the corpus lacks is asked for.</summary>
    public SevSnpPolicy Policy => new()
    {
        Products = [SnpProduct.Milan, SnpProduct.Genoa, SnpProduct.Turin], Measurements = [Measurement], Vmpl = [Vmpl], AllowVlek = IsVlek,
        MinimumTcb = new Dictionary<SnpProduct, SnpTcb>(), RequireAliasCheck = Version >= 3, RequireRevocationList = false,
    };

    public Dictionary<string, ReadOnlyMemory<byte>> Collateral() => new()
    {
        [IsVlek ? "vlek.der" : "vcek.der"] = Vectors.Read("snp", $"{Name}.{(IsVlek ? "vlek" : "vcek")}.der"),
        [IsVlek ? "asvk.der" : "ask.der"] = Vectors.Read("snp", "roots", $"{(IsVlek ? "asvk" : "ask")}-{Product}.der"),
        ["ark.der"] = Vectors.Read("snp", "roots", $"ark-{Product}.der"),
    };

    public AttestationResult Verify(ReadOnlyMemory<byte> report, SevSnpPolicy? policy = null, DateTimeOffset? at = null, Dictionary<string, ReadOnlyMemory<byte>>? collateral = null) =>
        SevSnpVerifier.Verify(report, new VerificationContext
        {
            At = at ?? At, Policy = new EvidencePolicy { SevSnp = policy ?? Policy }, ReportData = ReportData, Collateral = collateral ?? Collateral(),
        });
}

/// <summary>The manifests of captured reports and of their mutants.</summary>
internal static class SnpVectors
{
    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        if (Vectors.Folder is not null) names.AddRange([.. All().Select(vector => vector.Name)]);
        return names;
    }

    public static TheoryData<string> Mutants()
    {
        var names = new TheoryData<string>();
        if (Vectors.Folder is not null) names.AddRange([.. ReadMutants().Select(mutant => mutant.File)]);
        return names;
    }

    public static SnpVector Get(string name) => All().Single(vector => vector.Name == name);

    public static (string File, string Base, string Expected) GetMutant(string file) => ReadMutants().Single(mutant => mutant.File == file);

    private static List<SnpVector> All()
    {
        using var manifest = JsonDocument.Parse(Vectors.ReadText("snp", "manifest.json"));
        return [.. manifest.RootElement.EnumerateArray().Select(Read)];
    }

    private static SnpVector Read(JsonElement entry)
    {
        var valid = Text("verify_in").Split("..").Select(day => DateTimeOffset.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)).ToArray();
        return new SnpVector
        {
            Name = Text("name"), Product = Text("product"), IsVlek = Text("signer") == "VLEK", Version = entry.GetProperty("version").GetInt32(), Vmpl = entry.GetProperty("vmpl").GetInt32(),
            Expected = Text("expected"), Measurement = Text("measurement"), ReportData = Convert.FromHexString(Text("report_data")), Valid = (valid[0], valid[1]),
        };

        string Text(string name) => entry.GetProperty(name).GetString()!;
    }

    private static List<(string File, string Base, string Expected)> ReadMutants()
    {
        using var manifest = JsonDocument.Parse(Vectors.ReadText("mutants", "manifest.json"));
        return [.. manifest.RootElement.EnumerateArray().Where(entry => entry.GetProperty("kind").GetString() == "snp").Select(entry => (Text(entry, "file"), Text(entry, "base"), Text(entry, "expected")))];

        static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString()!;
    }
}
