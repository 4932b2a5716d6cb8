using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Makes the epoch's key the log's active key in the contract, through the same journaled path as an anchor.</summary>
internal sealed class KeyRegistrar(
    SettlementState state, JournalWriter journal, EvmChain chain, Reconciler reconciler, ConditionBoard conditions, RunningEpochs running, ITransactionSigner account, Hash256 logId)
{
    // A lagging node shows an older state for a moment; only a difference that stays ends an operation.
    private const int LooksThatCount = 3;

    private static readonly byte[] WrongPredecessor = Keccak256.Hash("WrongPredecessor(address)"u8).Bytes[..4].ToArray();

    private int _hopelessLooks;

    /// <summary>True when the epoch's key is the active one.</summary>
    public async Task<bool> EnsureAsync(ChainObservation seen, CancellationToken cancellationToken)
    {
        if (running.Current is not { } epoch) return false; // no engine has announced itself in this log yet
        var active = seen.Head!.Value.ActiveKey;
        var pending = state.Locked(view => view.Live.FirstOrDefault(operation => operation.IsPending));
        if (pending is { Kind: OperationKind.Register } && pending.Signer == active)
            return await reconciler.AdoptAsync(pending, cancellationToken).ConfigureAwait(false);
        if (pending is not null) await AbandonIfHopelessAsync(pending, seen, cancellationToken).ConfigureAwait(false);
        if (active == epoch.Address)
        {
            conditions.Clear(ConditionKind.KeyNotActive, ConditionKind.LogHalted);
            return true;
        }

        if (pending is not null) return false;
        var earlier = state.Locked(view => view.Operations.LastRegistration(operation => operation.AbandonedBecause is null && operation.Signer == epoch.Address));
        if (earlier is not null)
        {
            // Registered by our own journal, yet not active: undone by a reorganisation, or revoked since.
            reconciler.Recheck(earlier);
            if (await IsHaltedAsync(seen, epoch, cancellationToken).ConfigureAwait(false)) return false;
            conditions.Set(ConditionKind.KeyNotActive, $"the contract does not name this epoch's key {epoch.Address} as active", "if it stays so, the registrar revoked or replaced it: a rotation or a restart begins a new epoch");
            return false;
        }

        if (await PredecessorAsync(seen, epoch, cancellationToken).ConfigureAwait(false) is not { } predecessor) return false;
        var id = state.Locked(view => (ulong)view.Operations.Count);
        var opened = new OpenedRecord(state.Now(), id, OperationKind.Register, seen.BlockNumber, epoch.Address, epoch.Id, predecessor, CloseReason.None, null);
        await journal.AppendAsync(RecordType.OperationOpened, opened.Encode(), cancellationToken).ConfigureAwait(false);
        return false;
    }

    // A halted log has no key that may anchor, and its last key is active all the same.
    private async Task<bool> IsHaltedAsync(ChainObservation seen, Epoch epoch, CancellationToken cancellationToken)
    {
        if (!seen.Head!.Value.ActiveKey.IsZero) return false;
        var keys = await chain.KeysAsync([epoch.Address], cancellationToken).ConfigureAwait(false);
        if (!keys.IsOk || keys.Value[0].Standing != KeyStanding.Active || keys.Value[0].LogId != logId) return false;
        conditions.Clear(ConditionKind.KeyNotActive);
        conditions.Set(ConditionKind.LogHalted, $"the contract's owner halted log {logId}", "receipts wait durably; anchoring goes on by itself when the owner resumes the log");
        return true;
    }

    private async Task AbandonIfHopelessAsync(ChainOperation pending, ChainObservation seen, CancellationToken cancellationToken)
    {
        var active = seen.Head!.Value.ActiveKey;
        var hopeless = pending.Kind == OperationKind.Register
            ? pending.Predecessor != active && !active.IsZero
            : pending.Signer != active || pending.Checkpoint!.PreviousHead != Reconciler.HeadOf(seen);
        _hopelessLooks = hopeless ? _hopelessLooks + 1 : 0;
        if (_hopelessLooks < LooksThatCount) return;
        _hopelessLooks = 0;
        var record = new OperationEndRecord(state.Now(), pending.Id, $"the contract has moved on: active key {active}, head {Reconciler.HeadOf(seen)}");
        await journal.AppendAsync(RecordType.Abandoned, record.Encode(), cancellationToken).ConfigureAwait(false);
    }

    // The active key, or none for a new log. A parked head (its key was revoked) hides its last key: the contract names it when it refuses.
    private async Task<EvmAddress?> PredecessorAsync(ChainObservation seen, Epoch epoch, CancellationToken cancellationToken)
    {
        var (head, active) = seen.Head!.Value;
        if (!active.IsZero || head.IsZero) return active;
        var answer = await chain.EstimateGasAsync(account.Address, LedgerAbi.RegisterKey(logId, epoch.Address, epoch.EvidenceDigest, epoch.Id, default), cancellationToken).ConfigureAwait(false);
        var revert = answer.RevertData.Span;
        if (revert.Length == 36 && revert.StartsWith(WrongPredecessor)) return new EvmAddress(revert[16..]);
        conditions.Set(ConditionKind.KeyNotActive, $"the log's key was revoked and its successor could not be prepared: {answer.Detail}", "the registrar must register the epoch's key");
        return null;
    }
}
