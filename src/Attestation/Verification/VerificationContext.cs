using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>What evidence is judged by. Nothing is fetched and no clock is read: time and collateral are arguments.</summary>
public sealed record VerificationContext
{
    public required DateTimeOffset At { get; init; }

    public required EvidencePolicy Policy { get; init; }

    /// <summary>The challenge that the evidence must answer; null: none is asked for, and the policy's maximum age is all that bounds replay.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; init; }

    /// <summary>What the guest must have bound, at the length of its kind (SNP, TDX: 64 bytes); null: the caller compares the claim itself.</summary>
    public ReadOnlyMemory<byte>? ReportData { get; init; }

    /// <summary>Vendor's certificates, lists and identities by file name, as the caller got them; each kind's page says which names.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Collateral { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>What newest lists and identities were seen before; null: older ones pass while they are in time. Shared between verifications.</summary>
    public CollateralLedger? History { get; init; }
}
