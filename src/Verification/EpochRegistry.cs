using System.Collections.Concurrent;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>An epoch as evidence shows it.</summary>
/// <param name="SigningKey">65 bytes, uncompressed.</param>
/// <param name="Failures">Empty when the evidence holds; judged once, when the epoch was added.</param>
public sealed record KnownEpoch(
    Hash256 Id, EpochBinding Binding, ReadOnlyMemory<byte> SigningKey, Evidence Evidence, IReadOnlyList<VerificationReason> Failures);

/// <summary>
/// The epochs whose statements this installation accepts, with their evidence: its own and its predecessors'. Evidence is
/// judged once per epoch. Safe for concurrent calls.
/// </summary>
/// <param name="logId">The log that the epochs must bind.</param>
/// <param name="chainId">The chain that they must bind.</param>
/// <param name="contract">The contract that they must bind.</param>
/// <param name="verifier">Judges their documents.</param>
/// <param name="trust">What is accepted.</param>
/// <param name="clock">Says what now is; null: the system's.</param>
public sealed class EpochRegistry(Hash256 logId, ulong chainId, EvmAddress contract, IEvidenceVerifier verifier, EvidenceTrust trust, TimeProvider? clock = null)
{
    /// <summary>One epoch per start of the host and per rotation of its key: a bound far beyond what an installation reaches, so that hostile input cannot fill memory.</summary>
    public const int MaxEpochs = 65_536;

    private readonly ConcurrentDictionary<Hash256, KnownEpoch> _epochs = new();

    /// <summary>The log that this installation keeps.</summary>
    public Hash256 LogId => logId;

    /// <summary>Adds the epoch of an encoded evidence envelope; the epoch is also returned when its evidence fails, with the reasons.</summary>
    /// <param name="evidence">The envelope.</param>
    /// <param name="at">The time to judge its document at; null: now.</param>
    /// <returns>Null when the bytes are no evidence, bind no usable key, or the registry is full.</returns>
    public KnownEpoch? Add(ReadOnlySpan<byte> evidence, DateTimeOffset? at = null)
    {
        if (Decode(evidence) is not { } decoded) return null;
        if (_epochs.TryGetValue(decoded.Evidence.Epoch, out var known) && known.Failures.Count == 0) return known;
        if (_epochs.Count >= MaxEpochs) return null;
        var epoch = new KnownEpoch(decoded.Evidence.Epoch, decoded.Binding, decoded.Binding.SigningKey, decoded.Evidence, Judge(decoded.Evidence, decoded.Binding, at ?? (clock ?? TimeProvider.System).GetUtcNow()));
        // Bytes outside the binding could be wrong the first time: evidence that holds replaces evidence that fails, never the reverse.
        return _epochs.AddOrUpdate(epoch.Id, epoch, (_, old) => old.Failures.Count == 0 ? old : epoch);
    }

    public KnownEpoch? Find(in Hash256 epoch) => _epochs.GetValueOrDefault(epoch);

    private List<VerificationReason> Judge(Evidence evidence, EpochBinding binding, DateTimeOffset at)
    {
        var reasons = new List<VerificationReason>();
        if (binding.LogId != logId) reasons.Add(VerificationReason.EvidenceBindsOtherLog);
        if (binding.ChainId != chainId || binding.Contract != contract) reasons.Add(VerificationReason.EvidenceBindsOtherChain);
        reasons.AddRange(verifier.Verify(evidence, trust, at).Select(failure => failure.Reason).Distinct());
        return reasons;
    }

    private static (Evidence Evidence, EpochBinding Binding)? Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var evidence = Evidence.Decode(bytes);
            var binding = EpochBinding.Decode(evidence.Binding.Span);
            return binding.SigningKey.IsEmpty ? null : (evidence, binding);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
