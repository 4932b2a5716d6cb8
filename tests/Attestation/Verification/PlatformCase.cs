using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Tests.Verification.Tdx;
using OpenGradient.Engine.Attestation.Tests.Verification.Tpm;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests.Verification;

/// <summary>An epoch's evidence by a platform of our own vendor, with the policy file, the collateral and the time by which it is accepted.</summary>
internal sealed record PlatformCase(EvidenceKind Kind, Func<EpochBinding, byte[]> Attest, string Policy, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Collateral, DateTimeOffset At)
{
    public static readonly EpochBinding Binding = new(
        [new BoundKey(BoundKey.Secp256k1, EpochBinding.Secp256k1Spki([4, .. new byte[64]]))], Hash256.Sha256("build"u8), [], Shim.LogId, Shim.ChainId, Shim.Contract, SHA256.HashData("a block"u8));

    private static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> None { get; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    public Evidence Evidence(EpochBinding? binding = null) => new(Kind, (binding ?? Binding).Encode(), Attest(binding ?? Binding));

    /// <summary>A trust that names this kind and its policy.</summary>
    public EvidenceTrust Trust(string? policy = null) => new(new HashSet<EvidenceKind> { Kind }, [], new HashSet<Hash256>())
    {
        Policy = Encoding.UTF8.GetBytes(policy ?? Policy), Collateral = Collateral,
    };

    public static PlatformCase Of(EvidenceKind kind) => kind switch
    {
        EvidenceKind.Nitro => Nitro(),
        EvidenceKind.SevSnp => SevSnp(),
        EvidenceKind.Tdx => Tdx(),
        EvidenceKind.Tpm => Tpm(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string PolicyFile(string kind, string root, string rest) => $"{{\"version\":1,\"{kind}\":{{\"roots\":[\"{root}\"],{rest}}}}}";

    private static byte[] ReportData(EpochBinding binding) => [.. Hash256.Sha256(binding.Encode()).Bytes, .. new byte[32]];

    private static PlatformCase Nitro() => new(
        EvidenceKind.Nitro,
        binding => MockEnclave.Right.With("user_data", CborBytes.Bytes(ReportData(binding))).With("nonce", binding.Nonce.IsEmpty ? CborBytes.Null : CborBytes.Bytes(binding.Nonce.ToArray())).Document(),
        PolicyFile("nitro", MockEnclave.Root.Digest, $"\"pcrs\":{{{string.Join(',', Enumerable.Range(0, 3).Select(i => $"\"{i}\":[\"{Convert.ToHexStringLower(MockEnclave.Pcr(i))}\"]"))}}}"),
        None, MockEnclave.At);

    private static PlatformCase SevSnp()
    {
        var accepted = new SnpScenario();
        return new(
            EvidenceKind.SevSnp, binding => new SnpScenario(report => ReportData(binding).CopyTo(report, 0x50)).Report,
            PolicyFile("sev-snp", accepted.Pki.RootDigest, $"\"measurements\":[\"{SnpScenario.Hex(SnpScenario.Measurement)}\"]"), accepted.Collateral, accepted.At);
    }

    private static PlatformCase Tdx()
    {
        var guest = new MockTdx();
        return new(
            EvidenceKind.Tdx,
            binding =>
            {
                guest.Body = body => ReportData(binding).CopyTo(body, 520);
                return guest.MakeQuote();
            },
            PolicyFile("tdx", MockIntel.Digest(MockIntel.Root), $"\"mrtd\":[\"{MockTdx.Hex(0x4d, 48)}\"]"), guest.Context().Collateral, guest.At);
    }

    private static PlatformCase Tpm()
    {
        var tpm = new MockTpm();
        var registers = string.Join(',', tpm.Registers.Select(entry => $"\"{entry.Key}\":[\"{Convert.ToHexStringLower(entry.Value)}\"]"));
        return new(
            EvidenceKind.Tpm, binding => new MockTpm { ExtraData = Hash256.Sha256(binding.Encode()).ToArray() }.Evidence().Encode(),
            PolicyFile("tpm", Convert.ToHexStringLower(SHA256.HashData(MockTpm.Root.RawData)), $"\"keys\":[\"{Convert.ToHexStringLower(tpm.Name())}\"],\"selection\":[0,7,16],\"registers\":{{{registers}}}"),
            None, MockTpm.At);
    }
}
