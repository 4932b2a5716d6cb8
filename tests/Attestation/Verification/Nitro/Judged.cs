using OpenGradient.Engine.Attestation.Verification;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

// The shim's own AttestationStatus is nearer by namespace.

/// <summary>What a test says of a result.</summary>
internal static class Judged
{
    public static AttestationResult Accepted(AttestationResult result)
    {
        Assert.True(result.Status == AttestationStatus.Accepted, Why(result));
        Assert.Empty(result.Reasons);
        Assert.NotNull(result.Claims);
        Assert.NotNull(result.Identity);
        return result;
    }

    /// <summary>Refused, and every reason is of this one check.</summary>
    public static AttestationResult RefusedFor(AttestationCheck check, AttestationResult result) => Only(AttestationStatus.Refused, check, result);

    public static AttestationResult UnverifiableFor(AttestationCheck check, AttestationResult result) => Only(AttestationStatus.Unverifiable, check, result);

    public static bool IsAccepted(AttestationResult result) => result.Status == AttestationStatus.Accepted;

    /// <summary>Refused, and this check is among the reasons.</summary>
    public static AttestationResult RefusedAlsoFor(AttestationCheck check, AttestationResult result)
    {
        Assert.True(result.Status == AttestationStatus.Refused, Why(result));
        Assert.True(result.Reasons.Any(reason => reason.Check == check), Why(result));
        return result;
    }

    public static string Why(AttestationResult result) => $"{result.Status}: {string.Join("; ", result.Reasons.Select(reason => $"{reason.Check} {reason.Detail}"))}";

    private static AttestationResult Only(AttestationStatus status, AttestationCheck check, AttestationResult result)
    {
        Assert.True(result.Status == status, Why(result));
        Assert.NotEmpty(result.Reasons);
        Assert.True(result.Reasons.All(reason => reason.Check == check), Why(result));
        return result;
    }
}
