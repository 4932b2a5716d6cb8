using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nitro;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>Documents of real enclaves, each at its time, and the mutants of one of them and of a throw-away root.</summary>
public sealed class NitroVectorTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private const string Base = "base-20241130.cose";
    private const long TestRootTime = 1_735_689_600_000;

    /// <summary>Whatever the folder's manifest names.</summary>
    public static TheoryData<string> Documents => Vectors.Folder is null ? [] : [.. List("nitro", "manifest.json").Select(entry => Text(entry, "file"))];

    public static TheoryData<string> ManifestsMutants => Vectors.Folder is null
        ? []
        : [.. List("mutants", "manifest.json").Where(entry => Text(entry, "kind").StartsWith("nitro", StringComparison.Ordinal)).Select(entry => Text(entry, "file"))];

    public static TheoryData<string, string> Mutants => new()
    {
        { "tag18", "Encoding" }, { "tag18-twice", "Encoding" }, { "array5", "Encoding" }, { "sig-r-zero", "Signature" }, { "sig-zero", "Signature" },
        { "alg-es256", "Version" }, { "alg-missing", "Version" }, { "payload-bitflip", "Encoding" }, { "truncated", "Encoding" }, { "empty", "Encoding" },
        { "nest-bomb", "Size" }, { "len-bomb", "Encoding" },
    };

    public static TheoryData<string, string> TestRootMutants => new()
    {
        { "ok-unknown-field", "Encoding" }, { "dup-pcr-index", "Encoding" }, { "dup-pcr-index-nonminimal", "Encoding" }, { "pcr-all-zero", "Debug" },
        { "pcr0-zero-only", "Debug" }, { "pcr-missing-0", "Measurement" }, { "pcr-index-negative", "Encoding" }, { "pcr-len-32", "Encoding" }, { "pcrs-empty", "Encoding" },
        { "timestamp-negative", "Encoding" }, { "timestamp-future", "Time" }, { "cabundle-empty", "Encoding" }, { "root-swapped-in-bundle", "Root" },
        { "leaf-keyusage", "Chain" }, { "leaf-signs-leaf", "Chain" }, { "public-key-empty", "Encoding" }, { "nonce-text", "Encoding" }, { "payload-trailing", "Encoding" },
    };

    private static JsonElement Manifest(string file) => List("nitro", "manifest.json").Single(entry => Text(entry, "file") == file);

    private static List<JsonElement> List(params string[] path)
    {
        using var manifest = JsonDocument.Parse(Vectors.Read(path));
        return [.. manifest.RootElement.EnumerateArray().Select(entry => entry.Clone())];
    }

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString()!;

    // The image's own values as reference values: PCR 0 from the manifest, and the rest is not compared.
    private static VerificationContext Context(JsonElement entry) => MockEnclave.Context(
        new NitroPolicy { Pcrs = new Dictionary<int, IReadOnlyList<string>> { [0] = [entry.GetProperty("pcr0").GetString()!] }, RequireMeasurements = false },
        DateTimeOffset.FromUnixTimeMilliseconds(entry.GetProperty("verify_at_ms").GetInt64())) with { Nonce = null, ReportData = null };

    private static VerificationContext TestRoot() => MockEnclave.Context(
        new NitroPolicy
        {
            Roots = [Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Vectors.Read("mutants", "nitro-testroot", "test-root.der")))],
            RequireMeasurements = false,
        },
        DateTimeOffset.FromUnixTimeMilliseconds(TestRootTime)) with { Nonce = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"u8.ToArray(), ReportData = "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"u8.ToArray() };

    [VectorTheory, MemberData(nameof(Documents))]
    public void Verify_RealDocument_HasItsVerdictAtItsTime(string file)
    {
        var entry = Manifest(file);
        var result = NitroVerifier.Verify(Vectors.Read("nitro", file), Context(entry));
        if (entry.GetProperty("expected").GetString() == "accept") Judged.Accepted(result);
        else Judged.RefusedFor(AttestationCheck.Debug, RefusedWithClaims(result));
        Assert.Equal(entry.GetProperty("pcr0").GetString(), result.Claims!.Measurements["pcr0"]);
        Assert.Equal(entry.GetProperty("expected").GetString() != "accept", result.Claims.IsDebug);
    }

    [VectorTheory, MemberData(nameof(Documents))]
    public void Verify_RealDocumentToday_IsRefusedForItsCertificates(string file)
    {
        var context = Context(Manifest(file));
        var result = NitroVerifier.Verify(Vectors.Read("nitro", file), context with { At = context.At.AddHours(4) });
        Judged.RefusedAlsoFor(AttestationCheck.ChainTime, result);
    }

    [VectorFact]
    public void Verify_DamagedDocument_IsRefused() => Judged.RefusedFor(
        AttestationCheck.Encoding, NitroVerifier.Verify(Vectors.Read("nitro", "negative", "base-20260103-damaged-literal.bin"), Context(Manifest(Base))));

    [VectorTheory, MemberData(nameof(Mutants))]
    public void Verify_MutantOfARealDocument_IsRefusedForItsReason(string name, string check) =>
        RefusedFor(check, NitroVerifier.Verify(Vectors.Read("mutants", "nitro", $"{name}.bin"), Context(Manifest(Base))));

    // Accepted is only what is marked so: what may be refused or made canonical is refused here.
    [VectorTheory, MemberData(nameof(ManifestsMutants))]
    public void Verify_MutantOfTheManifest_HasItsVerdict(string file)
    {
        var entry = List("mutants", "manifest.json").Single(mutant => Text(mutant, "file") == file);
        var context = Text(entry, "kind") == "nitro" ? Context(Manifest(Text(entry, "base"))) : TestRoot();
        var result = NitroVerifier.Verify(Vectors.Read(["mutants", .. file.Split('/')]), context);
        if (Text(entry, "expected").StartsWith("accept", StringComparison.Ordinal)) Judged.Accepted(result);
        else Assert.True(result.Status == AttestationStatus.Refused, Judged.Why(result));
    }

    [VectorFact]
    public void Verify_OtherSignatureOfARealDocument_IsTheSameEvidence()
    {
        var context = Context(Manifest(Base));
        var twin = Judged.Accepted(NitroVerifier.Verify(Vectors.Read("mutants", "nitro", "s-twin.bin"), context));
        Assert.Equal(NitroVerifier.Verify(Vectors.Read("nitro", Base), context).Identity, twin.Identity);
    }

    [VectorFact]
    public void Verify_DocumentOfTheTestRoot_IsAcceptedUnderThatRootAlone()
    {
        var document = Vectors.Read("mutants", "nitro-testroot", "ok.bin");
        Judged.Accepted(NitroVerifier.Verify(document, TestRoot()));
        Judged.RefusedFor(AttestationCheck.Root, NitroVerifier.Verify(document, TestRoot() with { Policy = new() { Nitro = new NitroPolicy { RequireMeasurements = false } } }));
    }

    [VectorTheory, MemberData(nameof(TestRootMutants))]
    public void Verify_MutantOfTheTestRoot_IsRefusedForItsReason(string name, string check) =>
        RefusedFor(check, NitroVerifier.Verify(Vectors.Read("mutants", "nitro-testroot", $"{name}.bin"), TestRoot()));

    [VectorTheory, MemberData(nameof(Documents))]
    public void Verify_AnyFlippedBitOfARealDocument_IsRefused(string file)
    {
        var entry = Manifest(file);
        // Debug documents too: under a policy that allows debug, each is accepted, so that each bit counts.
        var context = Context(entry);
        context = context with { Policy = context.Policy with { Nitro = context.Policy.Nitro! with { AllowDebug = true } } };
        var bytes = Vectors.Read("nitro", file);
        Judged.Accepted(NitroVerifier.Verify(bytes, context));
        output.WriteLine($"{BitFlips.AllRefused(bytes, 150, flipped => NitroVerifier.Verify(flipped, context))} bits of {file}");
    }

    private static AttestationResult RefusedWithClaims(AttestationResult result)
    {
        Assert.NotNull(result.Claims);
        return result;
    }

    private static void RefusedFor(string check, AttestationResult result) => Judged.RefusedAlsoFor(Enum.Parse<AttestationCheck>(check), result);
}
