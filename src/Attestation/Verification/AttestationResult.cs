using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>What a verifier says of evidence. Nothing but <see cref="Accepted"/> is trust.</summary>
public enum AttestationStatus
{
    /// <summary>Every check held.</summary>
    Accepted,

    /// <summary>At least one check failed.</summary>
    Refused,

    /// <summary>No check failed, but at least one could not be made: collateral, a list or a root is missing.</summary>
    Unverifiable,
}

/// <summary>Why evidence is not accepted. One check, and what was found instead of what was expected.</summary>
/// <param name="Check">Which check.</param>
/// <param name="Detail">For people; never a secret, at most a few hundred characters.</param>
public sealed record AttestationReason(AttestationCheck Check, string Detail);

/// <summary>How often a TPM's machine was started.</summary>
/// <param name="Resets">TPM resets: the machine was started anew.</param>
/// <param name="Restarts">Restarts and resumes since the last reset.</param>
/// <param name="ClockMilliseconds">The TPM's clock: time under power, not wall time.</param>
/// <param name="IsStartedAnew">True where it was reset, restarted or resumed since it was seen last; null where the history does not know it.</param>
public sealed record BootClaim(long Resets, long Restarts, ulong ClockMilliseconds, bool? IsStartedAnew);

/// <summary>What evidence of any kind says of its platform, once its signature holds. Unsigned bytes never become claims.</summary>
public sealed record AttestationClaims
{
    /// <summary>"nitro", "sev-snp", "tdx", "tpm", "nvidia".</summary>
    public required string Kind { get; init; }

    /// <summary>The processor's or device's product, where the evidence says it: "Genoa", "TDX 1.5", "GH100".</summary>
    public string? Product { get; init; }

    /// <summary>By the field's own names ("pcr0", "mrtd", "measurement"), lower-case hexadecimal.</summary>
    public IReadOnlyDictionary<string, string> Measurements { get; init; } = new Dictionary<string, string>();

    /// <summary>True when the platform's operator can read the guest's memory.</summary>
    public bool? IsDebug { get; init; }

    /// <summary>The vendor's word for the firmware's state ("UpToDate"), or the versions themselves.</summary>
    public string? Tcb { get; init; }

    public IReadOnlyList<string> Advisories { get; init; } = [];

    /// <summary>When the evidence says it was made, where it says so.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>What the guest bound: report data, user data or qualifying data.</summary>
    public ReadOnlyMemory<byte> ReportData { get; init; }

    public ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>The key that the guest had put into its evidence beside what it bound (Nitro's public_key), as it put it there; empty: none.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; init; }

    /// <summary>Null where the evidence counts no starts: all kinds but "tpm".</summary>
    public BootClaim? Boot { get; init; }

    /// <summary>The chip, platform or device, where the evidence names one; lower-case hexadecimal.</summary>
    public string? Chip { get; init; }
}

/// <summary>The one result of all verifiers. No exception crosses a verifier's boundary.</summary>
public sealed record AttestationResult
{
    public required AttestationStatus Status { get; init; }

    /// <summary>Empty exactly when accepted.</summary>
    public required IReadOnlyList<AttestationReason> Reasons { get; init; }

    /// <summary>Null where the signature does not hold.</summary>
    public AttestationClaims? Claims { get; init; }

    /// <summary>SHA-256 of the signed bytes, never of the envelope: a second signature over the same statement is the same evidence. Null where nothing could be read.</summary>
    public Hash256? Identity { get; init; }

    /// <summary>Digest of the policy that was applied.</summary>
    public required Hash256 Policy { get; init; }

    /// <summary>The time that was asked about.</summary>
    public required DateTimeOffset At { get; init; }
}
