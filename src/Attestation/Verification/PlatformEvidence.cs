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

    /// <summary>
    /// What the first bytes look like, also those of a version or form that no verifier accepts: then its verifier says what is wrong.
    /// A guess chooses the verifier and proves nothing.
    /// </summary>
    public static PlatformKind? Guess(ReadOnlySpan<byte> evidence)
    {
        if (evidence.Length < 8) return null;
        if (evidence.StartsWith("OGE tpm v1"u8)) return PlatformKind.Tpm;
        // SPDM of any 1.x: a request for measurements, or the response to one.
        if (evidence is [>= 0x10 and <= 0x1F, 0xE0 or 0x60, ..]) return PlatformKind.Nvidia;
        // A short array of CBOR, with or without a tag.
        if (evidence is [>= 0x80 and <= 0x85 or 0x9F, ..] or [>= 0xC0 and <= 0xD2, ..]) return PlatformKind.Nitro;
        // Version, key type, kind of guest: of SGX and TDX alike, the quoting enclave's vendor follows.
        if (evidence is [_, 0, _, 0, 0x81, 0, 0, 0, ..] || (evidence.Length >= 28 && evidence[12..28].SequenceEqual(TdxQuote.IntelQe))) return PlatformKind.Tdx;
        if (evidence.Length == SnpReport.Size) return PlatformKind.SevSnp;
        // A host's certificate table may follow the report; where the length says nothing, the signature algorithm must be the one that there is.
        var isReport = evidence.Length >= 0x38 && BinaryPrimitives.ReadUInt32LittleEndian(evidence) is >= 2 and <= 5;
        return isReport && BinaryPrimitives.ReadUInt32LittleEndian(evidence[0x34..]) == 1 ? PlatformKind.SevSnp : null;
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
