using System.Security.Cryptography;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Captured quotes: verdicts, mutants and flipped bits.</summary>
public sealed class TpmVectorTests
{
    // A quote states no time; the certificates of the two with an endorsement path begin two days before.
    private static readonly DateTimeOffset At = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    private static readonly int[] All = [.. Enumerable.Range(0, 24)];

    public static TheoryData<string> Accepted => ["azure-snp-v0", "azure-snp-v2", "azure-snp-genoa", "swtpm-rsa", "swtpm-ecc", "swtpm-c"];

    private static readonly Dictionary<string, AttestationCheck> Reasons = new()
    {
        ["magic"] = AttestationCheck.Version, ["type-certify"] = AttestationCheck.Version, ["nonce"] = AttestationCheck.Signature, ["trailing"] = AttestationCheck.Encoding,
    };

    /// <summary>Every one of the folder.</summary>
    public static TheoryData<string> Mutants => Vectors.Folder is null ? [] : [.. Directory.GetFiles(Vectors.PathOf("mutants", "tpm")).Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal)];

    private static byte[] Read(string folder, string file) => Vectors.Read("tpm", folder, file);

    private static byte[] Der(string folder, string file) => PemOf(Vectors.ReadText("tpm", folder, file));

    private static byte[] PemOf(string text) => Convert.FromBase64String(text[PemEncoding.Find(text).Base64Data]);

    private static (TpmEvidence Evidence, VerificationContext Context) Load(string name) =>
        name == "swtpm-c" ? LoadPrimary() : name.StartsWith("swtpm", StringComparison.Ordinal) ? LoadChild(name) : LoadAzure(name);

    private static (TpmEvidence Evidence, VerificationContext Context) LoadAzure(string name)
    {
        using var manifest = JsonDocument.Parse(Vectors.ReadText("tpm", "manifest.json"));
        var nonce = Convert.FromHexString(manifest.RootElement.EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == name).GetProperty("nonce").GetString()!);
        using var pcrs = JsonDocument.Parse(Vectors.ReadText("tpm", name, "pcrs.json"));
        var values = All.Select(index => Convert.FromHexString(pcrs.RootElement.GetProperty($"{index}").GetString()!)).ToArray();
        var key = Der(name, "ak.pem");
        var evidence = new TpmEvidence
        {
            Form = TpmKeyForm.Bare, Key = key, Quote = Read(name, "quote.msg"), Signature = Framed(Read(name, "quote.sig"), 0x000b), Registers = values.SelectMany(value => value).ToArray(),
        };
        var policy = new TpmPolicy { VouchedKeys = [Convert.ToHexStringLower(SHA256.HashData(key))], Selection = All, Registers = References([0, 7], [values[0], values[7]]) };
        return (evidence, Context(policy, nonce));
    }

    private static (TpmEvidence Evidence, VerificationContext Context) LoadChild(string name)
    {
        var values = Read(name, "pcrs.bin");
        var root = Der(name, "ek-root.pem");
        var evidence = new TpmEvidence
        {
            Form = TpmKeyForm.Public, Key = Read(name, "ak.tpm2b_public").AsMemory(2), Quote = Read(name, "quote.msg"), Signature = Read(name, "quote.tpmt_sig"), Registers = values,
            Endorsement = [Read(name, "ek.crt.der"), Der(name, "ek-issuer.pem"), root],
        };
        var policy = new TpmPolicy
        {
            Roots = [Convert.ToHexStringLower(SHA256.HashData(root))], Keys = [Convert.ToHexStringLower(Read(name, "ak.name"))], Selection = [0, 7, 16], Registers = References([16], [values[64..]]),
        };
        return (evidence, Context(policy, Convert.FromHexString(Vectors.ReadText("tpm", name, "nonce.hex").Trim())));
    }

    private static (TpmEvidence Evidence, VerificationContext Context) LoadPrimary()
    {
        const string Name = "swtpm-c";
        var (key, quote) = (Read(Name, "c_ak.tpmt"), Read(Name, "c_quote.msg"));
        var evidence = new TpmEvidence { Form = TpmKeyForm.Public, Key = key, Quote = quote, Signature = Read(Name, "c_quote.tpmt_sig"), Registers = Read(Name, "c_pcrs.bin") };
        var policy = new TpmPolicy
        {
            Keys = ["000b" + Convert.ToHexStringLower(SHA256.HashData(key))], Selection = [0, 7, 16], Registers = References([16], [new byte[32]]), AllowEmptyRegisters = true, RequireEndorsement = false,
        };
        return (evidence, Context(policy, quote[44..76]));
    }

    private static byte[] Framed(byte[] signature, int hash) => MockTpm.Sized(new ByteWriter().U16(0x0014).U16(hash), signature).ToArray();

    private static Dictionary<int, IReadOnlyList<string>> References(int[] indexes, byte[][] values) =>
        indexes.Zip(values).ToDictionary(pair => pair.First, pair => (IReadOnlyList<string>)[Convert.ToHexStringLower(pair.Second)]);

    private static VerificationContext Context(TpmPolicy policy, byte[] nonce) => new() { At = At, Nonce = nonce, Policy = new EvidencePolicy { Tpm = policy } };

    [VectorTheory]
    [MemberData(nameof(Accepted))]
    public void Vector_Genuine_IsAccepted(string name)
    {
        var (evidence, context) = Load(name);
        var result = TpmVerifier.Verify(evidence.Encode(), context);
        Assert.Empty(result.Reasons);
        Assert.Equal(AttestationStatus.Accepted, result.Status);
    }

    [VectorTheory]
    [InlineData("swtpm-rsa")]
    [InlineData("swtpm-ecc")]
    public void Vector_SoftwareTpmUnderVendorRoots_IsRefusedForItsRoot(string name)
    {
        var (evidence, context) = Load(name);
        var policy = context.Policy.Tpm! with { Roots = new TpmPolicy().Roots };
        var result = TpmVerifier.Verify(evidence.Encode(), context with { Policy = new EvidencePolicy { Tpm = policy } });
        Assert.Equal([AttestationCheck.Root], result.Reasons.Select(reason => reason.Check));
    }

    [VectorTheory]
    [InlineData("swtpm-rsa")]
    [InlineData("swtpm-ecc")]
    public void Vector_SecondQuoteWithItsBareSignature_IsAccepted(string name)
    {
        var (evidence, context) = Load(name);
        evidence = evidence with { Quote = Read(name, "quote_plain.msg") };
        var plain = Read(name, "quote_plain.sig");
        // The tools write a plain ECDSA signature as DER, which is not what a TPM writes.
        if (name == "swtpm-rsa") Assert.Empty(TpmVerifier.Verify((evidence with { Signature = Framed(plain, 0x000b) }).Encode(), context).Reasons);
        else Assert.Equal(AttestationStatus.Refused, TpmVerifier.Verify((evidence with { Signature = plain }).Encode(), context).Status);
    }

    [VectorFact]
    public void Vector_QuoteWithSha1_IsRefusedForItsHash()
    {
        const string Name = "google-gcp-shielded-vm";
        var (_, context) = Load("swtpm-c");
        var evidence = new TpmEvidence
        {
            Form = TpmKeyForm.Public, Key = Read(Name, "ak.tpmt_public"), Quote = Read(Name, "quote.msg"), Signature = Framed(Read(Name, "quote.sig"), 0x0004), Registers = new byte[1],
        };
        var result = TpmVerifier.Verify(evidence.Encode(), context);
        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.Equal([AttestationCheck.Version], result.Reasons.Select(reason => reason.Check));
    }

    [VectorFact]
    public void Vector_QuoteWithoutSignature_ParsesAndIsRefused()
    {
        var quote = Vectors.Read("tpm", "parse-only", "dstack-tpms_attest.bin");
        var reasons = new ReasonList();
        Assert.Equal("12345678", Convert.ToHexStringLower(TpmQuote.Read(quote, reasons)!.ExtraData.Span));
        Assert.True(reasons.IsEmpty);
        var (evidence, context) = Load("swtpm-c");
        Assert.Equal(AttestationStatus.Refused, TpmVerifier.Verify((evidence with { Quote = quote }).Encode(), context).Status);
        Assert.Equal(AttestationStatus.Refused, TpmVerifier.Verify(quote, context).Status);
    }

    [VectorTheory]
    [MemberData(nameof(Mutants))]
    public void Mutant_IsRefused(string name)
    {
        const string Base = "azure-snp-genoa";
        Assert.StartsWith(Base, name, StringComparison.Ordinal);
        var (evidence, context) = Load(Base);
        var result = TpmVerifier.Verify((evidence with { Quote = Vectors.Read("mutants", "tpm", name + ".bin") }).Encode(), context);
        Assert.Equal(AttestationStatus.Refused, result.Status);
        if (Reasons.TryGetValue(name[(Base.Length + 1)..], out var expected)) Assert.Equal([expected], result.Reasons.Select(reason => reason.Check));
        Assert.Null(result.Claims);
    }

    [VectorTheory]
    [MemberData(nameof(Accepted))]
    public void Vector_AnyFlippedBit_IsNotAccepted(string name)
    {
        var (evidence, context) = Load(name);
        BitFlips.AssertNoneAccepted(evidence.Encode(), context, seed: 41);
    }
}
