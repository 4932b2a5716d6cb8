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
            await SpentAsync(operation, seen, cancellationToken).ConfigureAwait(false);
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
        if (known is { Inclusion: null }) return await AdoptAsync(known, cancellationToken).ConfigureAwait(false);
        if (standing == HeadStanding.Ahead) return true; // anchored by somebody else, but ours: build on it
        RecheckAfter(known?.Id);
        return false;
    }

    /// <summary>The contract's head; an unknown log's is the empty tree's.</summary>
    public static Hash256 HeadOf(ChainObservation seen) => seen.Head is { Head.IsZero: false } known ? known.Head : LogHead.Empty;

    /// <summary>The contract shows the operation's effect, but none of its transactions is known to be in a block: finds the event and records it.</summary>
    public async Task<bool> AdoptAsync(ChainOperation operation, CancellationToken cancellationToken)
    {
        var from = operation.FromBlock > SearchMargin ? operation.FromBlock - SearchMargin : 0;
        var answer = operation.Kind == OperationKind.Anchor
            ? await chain.AnchorsAsync(logId, from, cancellationToken).ConfigureAwait(false)
            : await chain.EventsAsync(LedgerAbi.KeyRegisteredTopic, logId, from, cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk || answer.Value.Find(item => Matches(operation, item)) is not { } found) return false;
        await IncludeAsync(operation, found.At, cancellationToken).ConfigureAwait(false);
        return false; // the next look brings its receipt
    }

    // The newest final operation is always among them: its block stands for every block before it, so that a reorganisation
    // below the finality rule is noticed also when it puts the same anchors into other blocks.
    private IEnumerable<ChainOperation> Checked() => state.Locked(view =>
    {
        if (view.Operations.LastOrDefault(operation => operation.IsFinal) is { } newest) _recheck.TryAdd(newest.Id, newest);
        return view.Live.Concat(_recheck.Values.Where(operation => operation.IsFinal).Take(MaxRechecks)).OrderBy(operation => operation.Id).ToArray();
    });

    // Also a transaction that reverted was paid for.
    private async Task SpentAsync(ChainOperation operation, ChainObservation seen, CancellationToken cancellationToken)
    {
        foreach (var attempt in operation.Attempts)
        {
            if (!seen.Receipts.TryGetValue(attempt.Hash, out var receipt) || receipt.Paid is not { } paid) continue;
            if (state.Locked(view => view.Spending.Knows(attempt.Nonce, attempt.Hash, paid))) continue;
            await journal.AppendAsync(RecordType.Spent, new SpentRecord(state.Now(), operation.Id, attempt.Nonce, attempt.Hash, paid).Encode(), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task PresentAsync(ChainOperation operation, AnchorClaim at, ChainObservation seen, CancellationToken cancellationToken)
    {
        _misses.Remove(operation.Id);
        _recheck.Remove(operation.Id);
        if (operation.Inclusion != at)
        {
            if (operation.IsFinal) RecheckBefore(operation.Id);
            await IncludeAsync(operation, at, cancellationToken).ConfigureAwait(false);
        }

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
        {
            RecheckBefore(operation.Id);
            conditions.Set(ConditionKind.Reorganised, $"a reorganisation undid {operation}, which had been reported as final", "its transaction is sent again; ask for more depth before calling an anchor final");
        }

        await EndAsync(RecordType.Reopened, operation, "its transaction is in no block any more", cancellationToken).ConfigureAwait(false);
    }

    // A reorganisation can undo a registration alone, which moves no head. Revoked keys look the same; their receipts stay.
    private void RecheckLastRegistration(ChainObservation seen)
    {
        var last = state.Locked(view => view.Operations.LastRegistration(operation => operation.Inclusion is not null));
        if (last is { IsFinal: true } && last.Signer != seen.Head!.Value.ActiveKey) Recheck(last);
    }

    // Where one final operation has moved or is gone, the one before it may have too.
    private void RecheckBefore(ulong id)
    {
        if (state.Locked(view => view.Operations.LastOrDefault(operation => operation.IsFinal && operation.Id < id)) is { } earlier) Recheck(earlier);
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
        if (item.Contract != chain.Contract) return false;
        if (operation.Kind == OperationKind.Anchor) return item.Anchored(logId) == (operation.Checkpoint!.Size, operation.Checkpoint.Root);
        return item.Topics.Length >= 3 && item.Topics[0] == LedgerAbi.KeyRegisteredTopic && item.Topics[1] == logId && item.Topics[2] == LedgerAbi.Topic(operation.Signer);
    }

    private Task IncludeAsync(ChainOperation operation, AnchorClaim at, CancellationToken cancellationToken) =>
        journal.AppendAsync(RecordType.Included, new IncludedRecord(state.Now(), operation.Id, at).Encode(), cancellationToken);

    private Task EndAsync(byte type, ChainOperation operation, string reason, CancellationToken cancellationToken) =>
        journal.AppendAsync(type, new OperationEndRecord(state.Now(), operation.Id, reason).Encode(), cancellationToken);
}
