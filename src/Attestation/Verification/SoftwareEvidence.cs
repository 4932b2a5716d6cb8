using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>Judges software documents: a development root vouches, nothing else does.</summary>
internal sealed class SoftwareEvidence(ISignatureVerifier signatures)
{
    /// <summary>Adds every reason it finds; the binding was decoded and judged before.</summary>
    public void Verify(Evidence evidence, EpochBinding binding, EvidenceTrust trust, List<VerificationFailure> failures)
    {
        SoftwareDocument document;
        try
        {
            document = SoftwareDocument.Decode(evidence.Document.Span);
        }
        catch (FormatException)
        {
            failures.Add(new(VerificationReason.EvidenceMalformed, "the software document is malformed"));
            return;
        }

        if (!document.ReportData.Span.SequenceEqual(evidence.ReportData)) failures.Add(new(VerificationReason.EvidenceNotForEpoch, "the document proves another binding"));
        if (document.Measurement != binding.BuildDigest) failures.Add(new(VerificationReason.EvidenceMeasurementNotTrusted, "the document measures another build than the one that is bound"));
        if (!trust.SoftwareRoots.Any(root => root.Span.SequenceEqual(document.Root.Span))) failures.Add(new(VerificationReason.EvidenceRootNotTrusted, "the document is by a root that is not named"));
        if (!SignedByRoot(document)) failures.Add(new(VerificationReason.EvidenceSignatureInvalid, "the document is not signed by the root it names"));
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
