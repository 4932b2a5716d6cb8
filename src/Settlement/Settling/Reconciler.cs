using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// Compares what the journal believes with what the chain says, and records every difference. The chain decides; the
/// journal only remembers.
/// </summary>
internal sealed class Reconciler(
    SettlementState state, JournalWriter journal, EvmChain chain, HeadGuard guard, ConditionBoard conditions, SettlementOptions options, Hash256 logId)
{
    // One look may mix two blocks or come from a node that lags: absence must be seen twice in a row.
    private const int MissesThatCount = 2;

    // After a reorganisation an event can lie in an earlier block than the newest one known when its operation began.
    private const ulong SearchMargin = 64;

    private const int MaxRechecks = 256; // receipts per look; the oldest are asked for first, the rest follow

    private readonly Dictionary<ulong, int> _misses = [];
    private readonly SortedDictionary<ulong, ChainOperation> _recheck = [];

    /// <summary>Transactions whose receipts the next look must bring.</summary>
    public HashSet<Hash256> Watched()
    {
        var hashes = new HashSet<Hash256>();
        foreach (var operation in Checked())
        {
            foreach (var attempt in operation.Attempts) hashes.Add(attempt.Hash);
            if (operation.Inclusion is { } at) hashes.Add(at.Transaction);
        }

        return hashes;
    }

    /// <summary>Asks for the receipt of a final operation again, because the chain's state does not fit it.</summary>
    public void Recheck(ChainOperation operation) => _recheck[operation.Id] = operation;

    public async Task ReceiptsAsync(ChainObservation seen, CancellationToken cancellationToken)
    {
        foreach (var operation in Checked())
        {
            if (Claim(operation, seen) is { } at) await PresentAsync(operation, at, seen, cancellationToken).ConfigureAwait(false);
            else if (operation.Inclusion is not null) await MissingAsync(operation, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Compares the contract's head with the journal's. False: nothing may be signed or sent in this tick.</summary>
    public async Task<bool> HeadAsync(ChainObservation seen, CancellationToken cancellationToken)
    {
        var (standing, known) = guard.Judge(seen);
        if (standing == HeadStanding.Foreign) return false;
        RecheckLastRegistration(seen);
        if (standing == HeadStanding.Same) return true;
        if (known is { Inclusion: null }) return await AdoptAsync(known, LedgerAbi.AnchoredTopic, cancellationToken).ConfigureAwait(false);
        if (standing == HeadStanding.Ahead) return true; // anchored by somebody else, but ours: build on it
        RecheckAfter(known?.Id);
        return false;
    }

    /// <summary>The contract's head; an unknown log's is the empty tree's.</summary>
    public static Hash256 HeadOf(ChainObservation seen) => seen.Head is { Head.IsZero: false } known ? known.Head : LogHead.Empty;

    /// <summary>The contract shows the operation's effect, but none of its transactions is known to be in a block: finds the event and records it.</summary>
    public async Task<bool> AdoptAsync(ChainOperation operation, Hash256 topic, CancellationToken cancellationToken)
    {
        var from = operation.FromBlock > SearchMargin ? operation.FromBlock - SearchMargin : 0;
        var answer = await chain.EventsAsync(topic, logId, from, cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk || answer.Value.Find(item => Matches(operation, item)) is not { } found) return false;
        await IncludeAsync(operation, found.At, cancellationToken).ConfigureAwait(false);
        return false; // the next look brings its receipt
    }

    private IEnumerable<ChainOperation> Checked() =>
        state.Locked(view => view.Live.Concat(_recheck.Values.Where(operation => operation.IsFinal).Take(MaxRechecks)).OrderBy(operation => operation.Id).ToArray());

    private async Task PresentAsync(ChainOperation operation, AnchorClaim at, ChainObservation seen, CancellationToken cancellationToken)
    {
        _misses.Remove(operation.Id);
        _recheck.Remove(operation.Id);
        if (operation.Inclusion != at) await IncludeAsync(operation, at, cancellationToken).ConfigureAwait(false);
        if (operation.IsFinal || !IsFinal(at, seen)) return;
        await EndAsync(RecordType.Finalized, operation, "", cancellationToken).ConfigureAwait(false);
        if (state.Locked(view => view.Live.Count) == 0) conditions.Clear(ConditionKind.Reorganised);
    }

    private async Task MissingAsync(ChainOperation operation, CancellationToken cancellationToken)
    {
        if ((_misses[operation.Id] = _misses.GetValueOrDefault(operation.Id) + 1) < MissesThatCount) return;
        _misses.Remove(operation.Id);
        _recheck.Remove(operation.Id);
        if (operation.IsFinal)
            conditions.Set(ConditionKind.Reorganised, $"a reorganisation undid {operation}, which had been reported as final", "its transaction is sent again; ask for more depth before calling an anchor final");
        await EndAsync(RecordType.Reopened, operation, "its transaction is in no block any more", cancellationToken).ConfigureAwait(false);
    }

    // A reorganisation can undo a registration alone, which moves no head. Revoked keys look the same; their receipts stay.
    private void RecheckLastRegistration(ChainObservation seen)
    {
        var last = state.Locked(view => view.Operations.LastOrDefault(operation => operation is { Kind: OperationKind.Register, Inclusion: not null }));
        if (last is { IsFinal: true } && last.Signer != seen.Head!.Value.ActiveKey) Recheck(last);
    }

    private void RecheckAfter(ulong? id)
    {
        foreach (var operation in state.Locked(view => view.Operations.Where(operation => operation.IsFinal && (id is null || operation.Id > id)).ToArray())) Recheck(operation);
    }

    // A node that does not say which block is finalized, be it for one look, makes nothing final.
    private bool IsFinal(AnchorClaim at, ChainObservation seen) => options.UseFinalizedTag
        ? seen.FinalizedNumber is { } finalized && at.BlockNumber <= finalized
        : seen.BlockNumber + 1 >= at.BlockNumber + options.FinalityDepth;

    private AnchorClaim? Claim(ChainOperation operation, ChainObservation seen)
    {
        foreach (var hash in operation.Attempts.Select(attempt => attempt.Hash).Append(operation.Inclusion?.Transaction ?? default))
        {
            if (!seen.Receipts.TryGetValue(hash, out var receipt) || !receipt.Succeeded) continue;
            if (receipt.Events.FirstOrDefault(item => Matches(operation, item)) is { } found) return found.At;
        }

        return null;
    }

    private bool Matches(ChainOperation operation, ChainEvent item)
    {
        if (item.Contract != chain.Contract || item.Topics.Length < 3 || item.Topics[1] != logId) return false;
        if (operation.Kind == OperationKind.Register) return item.Topics[0] == LedgerAbi.KeyRegisteredTopic && item.Topics[2] == LedgerAbi.Topic(operation.Signer);
        return item.Topics[0] == LedgerAbi.AnchoredTopic && LedgerAbi.DecodeAnchored(item.Data.Span) is { } anchored
            && anchored.Size == operation.Checkpoint!.Size && anchored.Root == operation.Checkpoint.Root;
    }

    private Task IncludeAsync(ChainOperation operation, AnchorClaim at, CancellationToken cancellationToken) =>
        journal.AppendAsync(RecordType.Included, new IncludedRecord(state.Now(), operation.Id, at).Encode(), cancellationToken);

    private Task EndAsync(byte type, ChainOperation operation, string reason, CancellationToken cancellationToken) =>
        journal.AppendAsync(type, new OperationEndRecord(state.Now(), operation.Id, reason).Encode(), cancellationToken);
}
