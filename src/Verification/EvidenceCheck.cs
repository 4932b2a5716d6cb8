using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Step 4, for the epoch of the statement and again for the epoch of the checkpoint where that is another.</summary>
internal sealed class EvidenceCheck(IEvidenceVerifier verifier, TrustPolicy trust, Statement statement, FailureList failures)
{
    /// <summary>The binding, or null when there is none with a usable signing key; <see cref="Run"/> then says why.</summary>
    public static EpochBinding? Decode(Evidence? evidence)
    {
        if (evidence is null) return null;
        try
        {
            var binding = EpochBinding.Decode(evidence.Binding.Span);
            return binding.SigningKey.IsEmpty || !binding.Encode().AsSpan().SequenceEqual(evidence.Binding.Span) ? null : binding;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public void Run(Evidence? evidence, EpochBinding? binding, Hash256 epoch, string whose)
    {
        if (evidence is null)
        {
            failures.Add(VerificationReason.EvidenceMissing, $"there is no evidence of {whose}");
            return;
        }

        if (evidence.Epoch != epoch) failures.Add(VerificationReason.EvidenceNotForEpoch, $"the evidence is for epoch {evidence.Epoch}; {whose} is {epoch}");
        if (binding is null)
        {
            failures.Add(VerificationReason.EvidenceMalformed, $"the evidence of {whose} binds no usable signing key");
            return;
        }

        if (binding.LogId != statement.LogId) failures.Add(VerificationReason.EvidenceBindsOtherLog, $"the evidence of {whose} binds log {binding.LogId}");
        if (binding.ChainId != trust.ChainId || binding.Contract != trust.Contract)
            failures.Add(VerificationReason.EvidenceBindsOtherChain, $"the evidence of {whose} binds chain {binding.ChainId} and contract {binding.Contract}, trusted are {trust.ChainId} and {trust.Contract}");
        if (statement.Chain is { } seen && seen.ChainId != binding.ChainId)
            failures.Add(VerificationReason.EvidenceBindsOtherChain, $"the statement saw chain {seen.ChainId}, the evidence of {whose} binds {binding.ChainId}");
        foreach (var reason in verifier.Verify(evidence, trust.Evidence)) failures.Add(reason, Sentence(reason, evidence, whose));
    }

    private static string Sentence(VerificationReason reason, Evidence evidence, string whose) => reason switch
    {
        VerificationReason.EvidenceKindNotAccepted => $"evidence of kind {evidence.Kind} is not accepted by the trust file",
        VerificationReason.EvidenceRootNotTrusted => $"the evidence of {whose} is by a root that the trust file does not name",
        VerificationReason.EvidenceSignatureInvalid => $"the evidence of {whose} is not signed by the root it names",
        VerificationReason.EvidenceMeasurementNotTrusted => $"the evidence of {whose} measures a build that the trust file does not name, or another than it binds",
        VerificationReason.EvidenceUnverifiable => $"evidence of kind {evidence.Kind} cannot be verified by this build",
        VerificationReason.EvidenceNotForEpoch => $"the document in the evidence of {whose} proves another binding",
        _ => $"the evidence of {whose} does not hold",
    };
}
