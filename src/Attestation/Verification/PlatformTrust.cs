using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>A platform's document held against the policy that a relying party names. What the platform's verifier says becomes reasons of the closed set.</summary>
internal static class PlatformTrust
{
    /// <returns>Null where the verifier could not be asked; the failures then say why.</returns>
    public static AttestationResult? Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at, List<VerificationFailure> failures)
    {
        if (trust.Policy.IsEmpty)
        {
            failures.Add(new(VerificationReason.EvidenceUnverifiable, $"no evidence policy is named, so that {BoundEvidence.KindName(evidence.Kind)} evidence cannot be judged"));
            return null;
        }

        EvidencePolicy policy;
        try
        {
            policy = EvidencePolicy.Parse(trust.Policy);
        }
        catch (PolicyException flawed)
        {
            failures.Add(new(VerificationReason.EvidenceUnverifiable, flawed.Message));
            return null;
        }

        var result = BoundEvidence.Verify(evidence, new VerificationContext { At = at, Policy = policy, Collateral = trust.Collateral });
        if (result.Status == AttestationStatus.Accepted) return result;
        // A check that could not be made is named as such beside those that failed only where none failed: what failed decides.
        failures.AddRange(result.Status == AttestationStatus.Unverifiable
            ? result.Reasons.Select(reason => Failure(VerificationReason.EvidenceUnverifiable, reason))
            : result.Reasons.Select(reason => Failure(Reason(reason.Check), reason)));
        // A result that is not accepted must never read as one without reasons.
        if (result.Reasons.Count == 0) failures.Add(new(VerificationReason.EvidenceUnverifiable, "the evidence is not accepted, and its verifier gave no reason"));
        return result;
    }

    private static VerificationFailure Failure(VerificationReason reason, AttestationReason found) => new(reason, $"{AttestationJson.Text(found.Check)}: {found.Detail}");

    private static VerificationReason Reason(AttestationCheck check) => check switch
    {
        AttestationCheck.Kind => VerificationReason.EvidenceKindNotAccepted,
        AttestationCheck.Signature => VerificationReason.EvidenceSignatureInvalid,
        AttestationCheck.Chain or AttestationCheck.Root => VerificationReason.EvidenceRootNotTrusted,
        AttestationCheck.Revoked or AttestationCheck.Revocation => VerificationReason.EvidenceRevoked,
        AttestationCheck.ChainTime or AttestationCheck.Time => VerificationReason.EvidenceOutOfTime,
        AttestationCheck.Nonce or AttestationCheck.ReportData => VerificationReason.EvidenceNotForEpoch,
        AttestationCheck.Measurement or AttestationCheck.EventLog => VerificationReason.EvidenceMeasurementNotTrusted,
        AttestationCheck.Debug or AttestationCheck.Guest or AttestationCheck.Tcb or AttestationCheck.Platform or AttestationCheck.Key or AttestationCheck.Collateral
            => VerificationReason.EvidencePlatformNotAccepted,
        _ => VerificationReason.EvidenceMalformed,
    };
}
