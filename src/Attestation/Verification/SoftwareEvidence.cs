using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>Judges software documents: a development root vouches, nothing else does.</summary>
internal sealed class SoftwareEvidence(ISignatureVerifier signatures) : IDocumentVerifier
{
    public EvidenceKind Kind => EvidenceKind.Software;

    public void Verify(Evidence evidence, EpochBinding binding, EvidenceTrust trust, ISet<VerificationReason> reasons)
    {
        SoftwareDocument document;
        try
        {
            document = SoftwareDocument.Decode(evidence.Document.Span);
        }
        catch (FormatException)
        {
            reasons.Add(VerificationReason.EvidenceMalformed);
            return;
        }

        if (!document.ReportData.Span.SequenceEqual(evidence.ReportData)) reasons.Add(VerificationReason.EvidenceNotForEpoch);
        if (document.Measurement != binding.BuildDigest) reasons.Add(VerificationReason.EvidenceMeasurementNotTrusted);
        if (!trust.SoftwareRoots.Any(root => root.Span.SequenceEqual(document.Root.Span))) reasons.Add(VerificationReason.EvidenceRootNotTrusted);
        if (!SignedByRoot(document)) reasons.Add(VerificationReason.EvidenceSignatureInvalid);
    }

    // The document carries no v: r and s verify under the root exactly when one of the two gives it back.
    private bool SignedByRoot(SoftwareDocument document)
    {
        byte[] signature = [.. document.Signature.Span, 0];
        if (signatures.VerifySecp256k1(document.Root.Span, document.SignedDigest, signature)) return true;
        signature[^1] = 1;
        return signatures.VerifySecp256k1(document.Root.Span, document.SignedDigest, signature);
    }
}
