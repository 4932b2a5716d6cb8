using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>When a platform's evidence is judged.</summary>
/// <param name="At">A time by which it was there already, by the chain's word; null: the chain does not say.</param>
/// <param name="Failure">Why it is not fresh, or why that could not be asked.</param>
public sealed record EpochMoment(DateTimeOffset? At, VerificationFailure? Failure);

/// <summary>
/// Brackets a platform's evidence by the chain: it is not older than the block whose hash its binding names, and not younger than the block
/// that registered its key. The time between is what a policy bounds, and the later one is when certificates and lists are held against it:
/// an old receipt is judged as it would have been then. Safe for concurrent calls.
/// </summary>
public sealed class EpochMoments(TrustPolicy trust, RpcClient rpc)
{
    private readonly BlockTimes _blocks = new(rpc, trust.ChainId);
    private readonly EvmChain _chain = new(rpc, trust.Contract);

    /// <summary>Asks the node about one epoch.</summary>
    /// <param name="evidence">The epoch's.</param>
    /// <param name="anchor">A block by which the evidence was there, for an epoch that was never registered; null: the newest.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Without time and failure for evidence that no policy bounds: software's, and what does not decode.</returns>
    public async Task<EpochMoment> FindAsync(Evidence evidence, ulong? anchor, CancellationToken cancellation)
    {
        if (BoundEvidence.PlatformOf(evidence.Kind) is null || BoundEvidence.Binding(evidence) is not { } binding || Bound() is not { } bound) return new(null, null);
        if (binding.Nonce.Length != Hash256.Size) return Stale("its binding names no block: nothing shows how old it is");
        var named = await _blocks.ByHashAsync(new Hash256(binding.Nonce.Span), cancellation).ConfigureAwait(false);
        if (!named.IsOk) return Unreachable(named.Detail);
        if (named.Value is not { } from) return Stale($"its binding names 0x{Convert.ToHexStringLower(binding.Nonce.Span)}, which is no block of the chain");
        var until = await UntilAsync(evidence, binding, from.Number, anchor, cancellation).ConfigureAwait(false);
        if (!until.IsOk) return Unreachable(until.Detail);
        if (until.Value is not { } seen) return Unreachable("the node does not show the block of the key's registration");
        var age = seen.Time - from.Time;
        return age <= bound
            ? new(seen.Time, null)
            : new(seen.Time, new(VerificationReason.EvidenceNotFresh, $"{age.TotalSeconds:0} seconds lie between block {from.Number}, which it names, and block {seen.Number}, which first shows it; {bound.TotalSeconds:0} are allowed"));
    }

    private async Task<ChainAnswer<ChainBlock?>> UntilAsync(Evidence evidence, EpochBinding binding, ulong from, ulong? anchor, CancellationToken cancellation)
    {
        var events = await _chain.EventsAsync(LedgerAbi.KeyRegisteredTopic, binding.LogId, from, cancellation).ConfigureAwait(false);
        if (!events.IsOk) return new(false, null, events.Refused, events.Detail);
        var (signer, digest) = (LedgerAbi.Topic(EvmAddress.OfPublicKey(binding.SigningKey.Span)), Hash256.Sha256(evidence.Encode()));
        var registered = events.Value.Find(entry => entry.Topics.Length > 2 && entry.Topics[2] == signer && entry.Data.Length == 3 * Hash256.Size
            && new Hash256(entry.Data.Span[..Hash256.Size]) == digest && new Hash256(entry.Data.Span[Hash256.Size..(2 * Hash256.Size)]) == evidence.Epoch);
        return (registered?.At.BlockNumber ?? anchor) is { } number
            ? await _blocks.ByNumberAsync(number, cancellation).ConfigureAwait(false)
            : await _blocks.NewestAsync(cancellation).ConfigureAwait(false);
    }

    // A policy that cannot be read bounds nothing, and accepts nothing.
    private TimeSpan? Bound()
    {
        if (trust.Evidence.Policy.IsEmpty) return null;
        try
        {
            return EvidencePolicy.Parse(trust.Evidence.Policy).MaximumBlockAge;
        }
        catch (PolicyException)
        {
            return null;
        }
    }

    private static EpochMoment Stale(string detail) => new(null, new(VerificationReason.EvidenceNotFresh, detail));

    private static EpochMoment Unreachable(string detail) => new(null, new(VerificationReason.ChainUnreachable, detail));
}
