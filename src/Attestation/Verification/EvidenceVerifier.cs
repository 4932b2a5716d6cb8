using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>Judges evidence of every kind. A kind, or a check, that cannot be judged is <see cref="VerificationReason.EvidenceUnverifiable"/>, never nothing. Stateless.</summary>
public sealed class EvidenceVerifier(ISignatureVerifier signatures) : IEvidenceVerifier
{
    private readonly SoftwareEvidence _software = new(signatures);

    /// <inheritdoc/>
    public IReadOnlyList<VerificationFailure> Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at) => Judge(evidence, trust, at).Failures;

    /// <summary>The same with what the platform's own verifier found.</summary>
    public EvidenceJudgement Judge(Evidence evidence, EvidenceTrust trust, DateTimeOffset at)
    {
        var failures = new List<VerificationFailure>();
        if (!trust.AcceptedKinds.Contains(evidence.Kind)) failures.Add(new(VerificationReason.EvidenceKindNotAccepted, $"evidence of kind {BoundEvidence.KindName(evidence.Kind)} is not accepted"));
        if (BoundEvidence.Binding(evidence) is not { } binding)
        {
            failures.Add(new(VerificationReason.EvidenceMalformed, "the evidence binds no usable signing key"));
            return new EvidenceJudgement(evidence.Kind, failures, null);
        }

        if (trust.BuildDigests.Count > 0 && !trust.BuildDigests.Contains(binding.BuildDigest))
            failures.Add(new(VerificationReason.EvidenceMeasurementNotTrusted, $"build {binding.BuildDigest} of the shim is not one that is trusted"));
        AttestationResult? platform = null;
        if (evidence.Kind == EvidenceKind.Software) _software.Verify(evidence, binding, trust, failures);
        else platform = PlatformTrust.Verify(evidence, trust, at, failures);
        return new EvidenceJudgement(evidence.Kind, [.. failures.Distinct().OrderBy(failure => failure.Reason)], platform);
    }
}

/// <summary>What was found of one evidence.</summary>
/// <param name="Kind">The evidence's kind, as its envelope says.</param>
/// <param name="Failures">Empty exactly when accepted.</param>
/// <param name="Platform">What the platform's verifier said; null of software evidence, and where it was not asked.</param>
public sealed record EvidenceJudgement(EvidenceKind Kind, IReadOnlyList<VerificationFailure> Failures, AttestationResult? Platform)
{
    /// <summary>Unverifiable only where no check failed.</summary>
    public AttestationStatus Status => Failures.Count == 0 ? AttestationStatus.Accepted
        : Failures.All(failure => failure.Reason == VerificationReason.EvidenceUnverifiable) ? AttestationStatus.Unverifiable
        : AttestationStatus.Refused;
}
