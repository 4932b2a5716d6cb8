using OpenGradient.Engine.Attestation.Verification;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>What a result must be. A failure names the reasons.</summary>
internal static class SnpExpect
{
    public static void Accepted(AttestationResult result) => Expect(AttestationStatus.Accepted, [], result);

    /// <summary>Refused, for this check alone.</summary>
    public static void Refused(AttestationCheck check, AttestationResult result) => Expect(AttestationStatus.Refused, [check], result);

    /// <summary>Not to be judged, for this check alone.</summary>
    public static void Unverifiable(AttestationCheck check, AttestationResult result) => Expect(AttestationStatus.Unverifiable, [check], result);

    private static void Expect(AttestationStatus status, AttestationCheck[] checks, AttestationResult result)
    {
        var found = result.Reasons.Select(reason => reason.Check).Distinct();
        Assert.True(result.Status == status && found.SequenceEqual(checks), $"{result.Status}: {string.Join("; ", result.Reasons)}");
    }
}
