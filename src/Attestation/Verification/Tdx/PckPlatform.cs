namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>How a processor protects its memory (Intel SGX PCK certificate profile, SGX Type).</summary>
public enum SgxType
{
    /// <summary>Small protected memory; such processors have no TDX.</summary>
    Standard,

    /// <summary>All memory, encrypted.</summary>
    Scalable,

    /// <summary>All memory, encrypted with a check against changes by hardware.</summary>
    ScalableWithIntegrity,
}

/// <summary>What the PCK certificate says of its platform's making; null: it says nothing, as certificates for single packages do.</summary>
/// <param name="IsDynamic">Packages may be added to the platform later.</param>
/// <param name="HasCachedKeys">The registration service keeps the platform's root keys.</param>
/// <param name="HasSmt">Two threads share a core.</param>
internal sealed record PckConfiguration(bool? IsDynamic, bool? HasCachedKeys, bool? HasSmt)
{
    public static PckConfiguration Unsaid { get; } = new(null, null, null);
}

/// <summary>Holds the platform that the PCK certificate describes against the policy.</summary>
internal static class PckPlatform
{
    public static void Check(PckExtension platform, TdxPolicy policy, ReasonList reasons)
    {
        var ppid = Convert.ToHexStringLower(platform.Ppid.Span);
        if (policy.Platforms.Count > 0 && !policy.Platforms.Contains(ppid)) reasons.Refuse(AttestationCheck.Platform, $"the policy does not name processor {ppid}");
        if (!policy.SgxTypes.Contains(platform.Type)) reasons.Refuse(AttestationCheck.Platform, $"the platform's memory is of type {platform.Type}");
        Forbid(platform.Configuration.IsDynamic, policy.DynamicPlatform, "packages may be added to the platform");
        Forbid(platform.Configuration.HasCachedKeys, policy.CachedKeys, "the registration service keeps the platform's keys");
        Forbid(platform.Configuration.HasSmt, policy.Smt, "two threads share a core");

        void Forbid(bool? isSo, bool isAllowed, string what)
        {
            if (isAllowed || isSo == false) return;
            if (isSo == true) reasons.Refuse(AttestationCheck.Platform, what);
            else reasons.Miss(AttestationCheck.Platform, $"the PCK certificate does not say whether {what}");
        }
    }
}
