using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>
/// Evidence in its envelope (docs/formats.md, "Epoch binding and evidence"): the document must prove the binding beside it, each kind
/// in its own place. Stateless.
/// </summary>
public static class BoundEvidence
{
    /// <summary>"software", "nitro", "sev-snp", "tdx", "tpm".</summary>
    public static string KindName(EvidenceKind kind) => kind == EvidenceKind.Software ? "software" : PlatformOf(kind) is { } platform ? platform.Text() : "unknown";

    /// <summary>Null of software evidence: no platform stands behind it.</summary>
    public static PlatformKind? PlatformOf(EvidenceKind kind) => kind switch
    {
        EvidenceKind.Nitro => PlatformKind.Nitro,
        EvidenceKind.SevSnp => PlatformKind.SevSnp,
        EvidenceKind.Tdx => PlatformKind.Tdx,
        EvidenceKind.Tpm => PlatformKind.Tpm,
        _ => null,
    };

    /// <summary>What the evidence binds; null when that is malformed or names no usable signing key: it then proves nothing about a statement.</summary>
    public static EpochBinding? Binding(Evidence evidence)
    {
        try
        {
            var binding = EpochBinding.Decode(evidence.Binding.Span);
            return binding.SigningKey.IsEmpty ? null : binding;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Judges the document, and that it proves the binding.</summary>
    /// <param name="evidence">Decoded from its envelope.</param>
    /// <param name="context">A nonce is compared with the binding's; report data with what the binding demands.</param>
    public static AttestationResult Verify(Evidence evidence, VerificationContext context)
    {
        var reasons = new ReasonList();
        if (Binding(evidence) is not { } binding)
        {
            reasons.Refuse(AttestationCheck.Encoding, "the evidence binds no usable signing key");
            return reasons.Result(context, null, null);
        }

        if (context.Nonce is { } asked && (asked.IsEmpty || !asked.Span.SequenceEqual(binding.Nonce.Span))) reasons.Refuse(AttestationCheck.Nonce, "the binding has another nonce than the one that was asked for");
        if (context.ReportData is { } data && !data.Span.SequenceEqual(evidence.ReportData)) reasons.Refuse(AttestationCheck.ReportData, "the binding's digest is not the report data that was expected");
        if (PlatformOf(evidence.Kind) is not { } kind)
        {
            reasons.Miss(AttestationCheck.Kind, $"evidence of kind {KindName(evidence.Kind)} is no platform's: a trust file judges it");
            return reasons.Result(context, null, null);
        }

        var result = PlatformEvidence.Verify(kind, evidence.Document, context with { ReportData = evidence.ReportData, Nonce = Nonce(kind, evidence, binding) });
        if (reasons.IsEmpty) return result;
        return result with { Status = AttestationStatus.Refused, Reasons = [.. reasons.All, .. result.Reasons] };
    }

    // The binding has the nonce inside, so the report data alone shows it to be fresh. A Nitro document has a place for it besides;
    // a TPM's qualifying data is nonce and report data in one.
    private static ReadOnlyMemory<byte>? Nonce(PlatformKind kind, Evidence evidence, EpochBinding binding)
    {
        if (kind == PlatformKind.Tpm) return evidence.Epoch.ToArray();
        // Not as an expression: memory is made of a null array as of any other, and no nonce would be an empty one.
        if (kind == PlatformKind.Nitro && !binding.Nonce.IsEmpty) return binding.Nonce;
        return null;
    }
}
