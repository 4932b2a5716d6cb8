using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>Tries the attester that a configuration names, as far as a host's start would: evidence made, and judged by the host's own policy.</summary>
public static class AttesterTrial
{
    /// <returns>Whether a host would start with it, and a sentence.</returns>
    public static (bool Holds, string Said) Run(AttestationConfiguration configuration, AttestationShim shim, TimeProvider clock)
    {
        if (AttestationConfigurationCheck.Kind(configuration.Attester) is not { } kind) return (false, $"'{configuration.Attester}' is none");
        if (kind == EvidenceKind.Software) return (true, "software: development only, NOT trusted");
        try
        {
            var policy = EvidencePolicy.Parse(CollateralFolder.ReadFile(configuration.Policy!, EvidencePolicy.LargestFile));
            var collateral = CollateralFolder.Read(configuration.Collateral);
            var evidence = Evidence.Decode(MachineEvidence.Make(shim, kind, configuration.Tpm, null, default, clock).Evidence.Span);
            var result = BoundEvidence.Verify(evidence, new VerificationContext { At = clock.GetUtcNow(), Policy = policy, Collateral = collateral });
            var verdict = $"{configuration.Attester}: {AttestationJson.Text(result.Status)} by policy {policy.Digest}, {collateral.Count} files of collateral";
            return result.Status == AttestationStatus.Accepted
                ? (true, verdict)
                : (false, $"{verdict}: {string.Join("; ", result.Reasons.Select(reason => $"{AttestationJson.Text(reason.Check)}: {reason.Detail}"))}");
        }
        catch (Exception failed) when (failed is AttestationException or FormatException or PolicyException)
        {
            return (false, $"{configuration.Attester}: {failed.Message}");
        }
    }
}
