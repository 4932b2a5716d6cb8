using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

/// <summary>What every test here starts from: the shim, a development root and an open epoch.</summary>
internal static class Shim
{
    public static readonly AttestationShim Loaded = AttestationShim.Load();

    public static readonly NativeSignatures Signatures = new(Loaded);

    public static readonly Hash256 LogId = Hash256.Sha256("a log"u8);

    public static readonly EvmAddress Contract = EvmAddress.Parse("0x00112233445566778899aabbccddeeff00112233");

    public const ulong ChainId = 31337;

    public static EnclaveEpoch OpenEpoch(SoftwareRoot root, TimeProvider? time = null) => EnclaveEpoch.Open(
        Loaded, new EpochOptions
        {
            LogId = LogId, ChainId = ChainId, Contract = Contract, Attester = EvidenceKind.Software, SoftwareRoot = root,
            Libraries = [("libone.so", Hash256.Sha256("one"u8)), ("libzwei-ü.so", Hash256.Sha256("two"u8))],
            Nonce = new byte[] { 1, 2, 3 },
        },
        time ?? TimeProvider.System);

    public static EvidenceTrust Trust(SoftwareRoot root) => new(
        new HashSet<EvidenceKind> { EvidenceKind.Software }, [root.PublicKey], new HashSet<Hash256> { Loaded.BuildDigest() });

    public static readonly StatementContext Context = new(
        "digits", "1", Hash256.Sha256("model"u8),
        new RuntimeFingerprint("onnxruntime", "1.27.0", Hash256.Sha256("runtime"u8), "cpu", "x64-avx512f-vnni", "fp32", "intra_op=1;mode=sequential"),
        DeterminismClass.A, 4);
}
