using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>Collects why evidence is not accepted. A verifier goes on after a reason where what follows can still be judged.</summary>
public sealed class ReasonList
{
    // More say nothing more, and hostile input could ask for millions.
    private const int Most = 64;

    private readonly List<AttestationReason> _failed = [], _unmade = [];

    public bool IsEmpty => _failed.Count == 0 && _unmade.Count == 0;

    public int Count => _failed.Count + _unmade.Count;

    /// <summary>How often <see cref="Refuse"/> was called, also past the number that is kept.</summary>
    public int Failures { get; private set; }

    /// <summary>What was found so far, failures first.</summary>
    public IReadOnlyList<AttestationReason> All => [.. _failed, .. _unmade];

    /// <summary>A check failed.</summary>
    public void Refuse(AttestationCheck check, string detail)
    {
        Failures++;
        if (_failed.Count < Most) _failed.Add(new AttestationReason(check, detail));
    }

    /// <summary>A check could not be made.</summary>
    public void Miss(AttestationCheck check, string detail)
    {
        if (_unmade.Count < Most) _unmade.Add(new AttestationReason(check, detail));
    }

    public AttestationResult Result(VerificationContext context, AttestationClaims? claims, Hash256? identity) => new()
    {
        Status = _failed.Count > 0 ? AttestationStatus.Refused : _unmade.Count > 0 ? AttestationStatus.Unverifiable : AttestationStatus.Accepted,
        Reasons = All, Claims = claims, Identity = identity, Policy = context.Policy.Digest, At = context.At,
    };
}
