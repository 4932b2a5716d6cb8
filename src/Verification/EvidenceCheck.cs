using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Step 4, for the epoch of the statement and again for the epoch of the checkpoint where that is another.</summary>
internal sealed class EvidenceCheck(IEvidenceVerifier verifier, TrustPolicy trust, Func<Evidence, DateTimeOffset> at, Statement statement, FailureList failures)
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
        foreach (var failure in verifier.Verify(evidence, trust.Evidence, at(evidence))) failures.Add(failure.Reason, $"{whose}: {failure.Detail}");
    }
}
