using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>One platform's document. Adds every reason it finds; the binding was decoded and judged before.</summary>
internal interface IDocumentVerifier
{
    EvidenceKind Kind { get; }

    void Verify(Evidence evidence, EpochBinding binding, EvidenceTrust trust, ISet<VerificationReason> reasons);
}

/// <summary>Judges evidence of every kind; a kind without a verifier is <see cref="VerificationReason.EvidenceUnverifiable"/>. Stateless.</summary>
public sealed class EvidenceVerifier(ISignatureVerifier signatures) : IEvidenceVerifier
{
    private readonly IDocumentVerifier[] _documents = [new SoftwareEvidence(signatures)];

    /// <inheritdoc/>
    public IReadOnlyList<VerificationReason> Verify(Evidence evidence, EvidenceTrust trust)
    {
        var reasons = new SortedSet<VerificationReason>();
        if (!trust.AcceptedKinds.Contains(evidence.Kind)) reasons.Add(VerificationReason.EvidenceKindNotAccepted);
        if (DecodeBinding(evidence) is not { } binding)
        {
            reasons.Add(VerificationReason.EvidenceMalformed);
            return [.. reasons];
        }

        if (trust.BuildDigests.Count > 0 && !trust.BuildDigests.Contains(binding.BuildDigest)) reasons.Add(VerificationReason.EvidenceMeasurementNotTrusted);
        var document = _documents.FirstOrDefault(verifier => verifier.Kind == evidence.Kind);
        if (document is null) reasons.Add(VerificationReason.EvidenceUnverifiable);
        else document.Verify(evidence, binding, trust, reasons);
        return [.. reasons];
    }

    // Null also when the binding names no usable signing key: such evidence proves nothing about a statement.
    private static EpochBinding? DecodeBinding(Evidence evidence)
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
}
