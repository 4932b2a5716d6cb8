using System.Buffers.Binary;
using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Verification.Tdx;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>Kinds of evidence that platforms and devices give.</summary>
public enum PlatformKind
{
    Nitro,
    SevSnp,
    Tdx,
    Tpm,
    Nvidia,
}

/// <summary>One door to the verifiers of every kind.</summary>
public static class PlatformEvidence
{
    /// <summary>No kind's evidence is larger; each kind allows less.</summary>
    public const int LargestFile = 1024 * 1024;

    private static readonly string[] Names = ["nitro", "sev-snp", "tdx", "tpm", "nvidia"];

    /// <summary>"nitro", "sev-snp", "tdx", "tpm", "nvidia": the policy's section and the claims' kind.</summary>
    public static string Text(this PlatformKind kind) => Names[(int)kind];

    /// <returns>Null for a name that is none.</returns>
    public static PlatformKind? Parse(string name) => Array.IndexOf(Names, name) is >= 0 and var index ? (PlatformKind)index : null;

    /// <summary>What the first bytes look like. A guess chooses the verifier and proves nothing.</summary>
    public static PlatformKind? Guess(ReadOnlySpan<byte> evidence)
    {
        if (evidence.Length < 8) return null;
        if (evidence.StartsWith("OGE tpm v1"u8)) return PlatformKind.Tpm;
        if (evidence is [0x11, 0xE0, 0x01, 0xFF, ..]) return PlatformKind.Nvidia;
        if (evidence is [0x84, ..] or [0xD2, 0x84, ..]) return PlatformKind.Nitro;
        if (BinaryPrimitives.ReadUInt16LittleEndian(evidence) is 4 or 5 && evidence[2..8].SequenceEqual((ReadOnlySpan<byte>)[2, 0, 0x81, 0, 0, 0])) return PlatformKind.Tdx;
        // A host's certificate table may follow the report; where the length says less, the signature algorithm must be the one that there is.
        var isReport = evidence.Length >= 1184 && BinaryPrimitives.ReadUInt32LittleEndian(evidence) is >= 2 and <= 5;
        if (isReport && (evidence.Length == 1184 || BinaryPrimitives.ReadUInt32LittleEndian(evidence[0x34..]) == 1)) return PlatformKind.SevSnp;
        return null;
    }

    /// <summary>Judges evidence by the verifier of its kind. A kind without a verifier here is never accepted.</summary>
    public static AttestationResult Verify(PlatformKind kind, ReadOnlyMemory<byte> evidence, VerificationContext context)
    {
        var reasons = new ReasonList();
        try
        {
            if (Ask(kind, evidence, context) is { } result) return result;
            reasons.Miss(AttestationCheck.Kind, "this build has no verifier of this kind");
        }
        catch (Exception error) when (VerifierEntry.IsOfInput(error))
        {
            // The verifiers let none out. One that did would otherwise end the caller's process.
            reasons.Refuse(AttestationCheck.Encoding, $"the {kind.Text()} verifier could not read the evidence: {error.GetType().Name}");
        }

        return reasons.Result(context, null, null);
    }

    private static AttestationResult? Ask(PlatformKind kind, ReadOnlyMemory<byte> evidence, VerificationContext context) => kind switch
    {
        PlatformKind.Nitro => NitroVerifier.Verify(evidence, context),
        PlatformKind.SevSnp => SevSnpVerifier.Verify(evidence, context),
        PlatformKind.Tdx => TdxVerifier.Verify(evidence, context),
        PlatformKind.Tpm => TpmVerifier.Verify(evidence, context),
        PlatformKind.Nvidia => NvidiaVerifier.Verify(evidence, context),
        _ => null,
    };
}
