using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// Brings the oldest pending operation into a block: sign, persist the raw bytes, send; then the same bytes again, or a
/// dearer replacement of the same nonce. A new nonce only when the old one is spent and the contract's head says that
/// the operation has not happened; the contract's compare-and-swap holds even if that were wrong.
/// </summary>
internal sealed class Sender(
    SettlementState state, JournalWriter journal, EvmChain chain, ConditionBoard conditions, ITransactionSigner account, SettlementOptions options, Hash256 logId)
{
    private const int MisfitsThatCount = 2;

    private ulong _current = ulong.MaxValue;
    private Hash256 _sent;
    private ulong _sentAtBlock;
    private ulong _offeredSince;
    private bool _tooCheap;
    private int _misfits;

    /// <summary>An operation is on its way into a block.</summary>
    public bool HasPending => state.Locked(view => view.Live.Any(operation => operation.IsPending));

    public async Task SendAsync(ChainObservation seen, CancellationToken cancellationToken)
    {
        if (state.Locked(view => view.Live.FirstOrDefault(operation => operation.IsPending)) is not { } operation)
        {
            _current = ulong.MaxValue;
            conditions.Clear(ConditionKind.CallWouldFail, ConditionKind.NodeRefuses, ConditionKind.FeeCapReached, ConditionKind.SpendLimitReached, ConditionKind.SignerUnavailable);
            return;
        }

        if (operation.Id != _current) (_current, _sent, _tooCheap, _misfits) = (operation.Id, default, false, 0);
        if (operation.Attempts.Count == 0)
        {
            await FirstAsync(operation, seen, cancellationToken).ConfigureAwait(false);
            return;
        }

        // Of what was signed, the bytes that fit the account's next nonce, the dearest of them.
        var last = operation.Attempts.Where(attempt => attempt.Nonce == seen.Nonce).MaxBy(attempt => attempt.MaxFee);
        _misfits = last is null ? _misfits + 1 : 0;
        if (last is null)
        {
            // Spent: by us (its receipt comes with a later look, or it reverted) or by somebody else with our key. Or
            // ahead of a gap that a reorganisation left. A lagging node shows the same for a moment.
            if (_misfits >= MisfitsThatCount) await FirstAsync(operation, seen, cancellationToken).ConfigureAwait(false);
        }
        else if (_sent != last.Hash)
        {
            // After a restart or a reorganisation: the bytes that may be out there already, before anything dearer.
            _offeredSince = seen.BlockNumber;
            await BroadcastAsync(last, seen, cancellationToken).ConfigureAwait(false);
        }
        else if (_tooCheap || seen.BlockNumber >= _offeredSince + options.BumpAfterBlocks)
        {
            await ReplaceAsync(operation, last, seen, cancellationToken).ConfigureAwait(false);
        }
        else if (seen.BlockNumber != _sentAtBlock)
        {
            await BroadcastAsync(last, seen, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task FirstAsync(ChainOperation operation, ChainObservation seen, CancellationToken cancellationToken)
    {
        var call = CallOf(operation);
        var gas = await chain.EstimateGasAsync(account.Address, call, cancellationToken).ConfigureAwait(false);
        if (!gas.IsOk)
        {
            var reason = LedgerErrors.NameOf(gas.RevertData.Span) is { } name ? $"the contract refuses with {name}" : gas.Detail;
            if (gas.Refused) conditions.Set(ConditionKind.CallWouldFail, $"{operation}: {reason}", "usually another worker was faster and the next look settles it; if it stays, check registrar and contract");
            return;
        }

        conditions.Clear(ConditionKind.CallWouldFail);
        var tip = UInt128.Min(options.PriorityFee, options.MaxFeePerGas);
        var fee = UInt128.Min((2 * seen.BaseFee) + tip, options.MaxFeePerGas);
        var gasLimit = gas.Value + (gas.Value / 4); // the estimate holds for this block's state only
        var nonce = FreeNonce(seen);
        if (!CanPay(seen, gasLimit, fee) || !MaySpend(operation, nonce, gasLimit * fee)) return;
        await AttemptAsync(operation, call, new(nonce, tip, fee, gasLimit, seen.BlockNumber, default, default), seen, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReplaceAsync(ChainOperation operation, Attempt last, ChainObservation seen, CancellationToken cancellationToken)
    {
        // 12.5 %: geth asks for 10, others for more; blobs are not sent.
        var tip = last.MaxPriorityFee + ((last.MaxPriorityFee + 7) / 8);
        var fee = UInt128.Max(last.MaxFee + ((last.MaxFee + 7) / 8), (2 * seen.BaseFee) + tip);
        if (fee > options.MaxFeePerGas)
        {
            conditions.Set(ConditionKind.FeeCapReached, $"{operation} is stuck at {last.MaxFee} wei per gas; the next replacement would pass the cap of {options.MaxFeePerGas}", "raise the cap or wait for a cheaper chain; the transaction stays in the pool");
            await BroadcastAsync(last, seen, cancellationToken).ConfigureAwait(false);
            return;
        }

        // Estimated anew: what is stuck may be so because a node once named a wrong figure.
        var gas = await chain.EstimateGasAsync(account.Address, CallOf(operation), cancellationToken).ConfigureAwait(false);
        var gasLimit = gas.IsOk ? gas.Value + (gas.Value / 4) : last.GasLimit;
        if (!CanPay(seen, gasLimit, fee)) return;
        if (!MaySpend(operation, last.Nonce, gasLimit * fee))
        {
            await BroadcastAsync(last, seen, cancellationToken).ConfigureAwait(false);
            return;
        }

        await AttemptAsync(operation, CallOf(operation), last with { MaxPriorityFee = tip, MaxFee = fee, GasLimit = gasLimit, AtBlock = seen.BlockNumber }, seen, cancellationToken).ConfigureAwait(false);
    }

    private async Task AttemptAsync(ChainOperation operation, byte[] call, Attempt terms, ChainObservation seen, CancellationToken cancellationToken)
    {
        var transaction = new Eip1559Transaction(options.ChainId, terms.Nonce, terms.MaxPriorityFee, terms.MaxFee, terms.GasLimit, chain.Contract, 0, call);
        if (await SignAsync(transaction, cancellationToken).ConfigureAwait(false) is not { } signature) return;
        var raw = transaction.Encode(signature);
        var record = new AttemptRecord(state.Now(), operation.Id, terms.Nonce, terms.MaxPriorityFee, terms.MaxFee, terms.GasLimit, terms.AtBlock, raw);
        await journal.AppendAsync(RecordType.Attempted, record.Encode(), cancellationToken).ConfigureAwait(false);
        (_tooCheap, _misfits, _offeredSince) = (false, 0, seen.BlockNumber);
        await BroadcastAsync(operation.Attempts[^1], seen, cancellationToken).ConfigureAwait(false);
    }

    private async Task BroadcastAsync(Attempt attempt, ChainObservation seen, CancellationToken cancellationToken)
    {
        var answer = await chain.SendAsync(attempt.Raw, cancellationToken).ConfigureAwait(false);
        (_sent, _sentAtBlock) = (attempt.Hash, seen.BlockNumber);
        if (answer.IsOk || Says(answer.Detail, "already known") || Says(answer.Detail, "already imported"))
        {
            conditions.Clear(ConditionKind.AccountEmpty, ConditionKind.NodeRefuses, ConditionKind.FeeCapReached);
            return;
        }

        if (!answer.Refused) return; // may have arrived: the next look tells
        if (Says(answer.Detail, "nonce too low")) return;
        if (Says(answer.Detail, "insufficient funds")) SayEmpty(seen);
        else if (Says(answer.Detail, "underpriced") || Says(answer.Detail, "base fee") || Says(answer.Detail, "fee too low")) _tooCheap = true;
        else conditions.Set(ConditionKind.NodeRefuses, $"the node refuses a transaction: {answer.Detail}", "it is offered again with every block; check the node");
    }

    private async Task<byte[]?> SignAsync(Eip1559Transaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            var signature = await account.SignPayloadAsync(transaction.SigningPayload(), cancellationToken).ConfigureAwait(false);
            conditions.Clear(ConditionKind.SignerUnavailable);
            return signature;
        }
        catch (TransactionSigningException failure)
        {
            conditions.Set(ConditionKind.SignerUnavailable, $"no signature for account {account.Address}: {failure.Message}", "check the signer and its address; it is asked again with the next look");
            return null;
        }
    }

    private bool MaySpend(ChainOperation operation, ulong nonce, UInt128 most)
    {
        if (options.MaxSpendPerDay is not { } limit) return true;
        var now = state.Now();
        var (spent, free) = state.Locked(view => (view.Spending.Since(now, nonce), most > limit ? 0 : view.Spending.FreeAgainAt(now, limit - most, nonce)));
        if (spent + most <= limit)
        {
            conditions.Clear(ConditionKind.SpendLimitReached);
            return true;
        }

        var when = most > limit ? "the limit is less than one transaction can cost" : $"enough of that is a day old at {DateTimeOffset.UnixEpoch.AddTicks((long)(free / 100)):u}";
        conditions.Set(ConditionKind.SpendLimitReached, $"{operation} can cost {most} wei, and {spent} of the {limit} wei for 24 hours are spent or bound; {when}", "wait, it goes on by itself, or raise the limit; receipts wait durably");
        return false;
    }

    private bool CanPay(ChainObservation seen, ulong gasLimit, UInt128 fee)
    {
        if (seen.Balance >= gasLimit * fee)
        {
            conditions.Clear(ConditionKind.AccountEmpty);
            return true;
        }

        SayEmpty(seen);
        return false;
    }

    private void SayEmpty(ChainObservation seen) =>
        conditions.Set(ConditionKind.AccountEmpty, $"the account {account.Address} holds {seen.Balance} wei, too little for the next transaction", $"send funds to {account.Address} on chain {options.ChainId}; settlement goes on by itself");

    // The lowest nonce that neither the chain has used nor an operation in a block holds. One that a later pending
    // operation holds is free: that one cannot succeed before this one, and gets another when its turn comes.
    private ulong FreeNonce(ChainObservation seen)
    {
        var held = state.Locked(view => view.Live.Where(operation => !operation.IsPending).SelectMany(operation => operation.Attempts).Select(attempt => attempt.Nonce).ToHashSet());
        var nonce = seen.Nonce;
        while (held.Contains(nonce)) nonce++;
        return nonce;
    }

    private byte[] CallOf(ChainOperation operation)
    {
        if (operation.Checkpoint is { } signed) return LedgerAbi.Anchor(logId, operation.Signer, signed.Size, signed.Root, signed.Signature.Span);
        var evidenceDigest = state.Locked(view => view.Epochs[operation.Epoch].EvidenceDigest);
        return LedgerAbi.RegisterKey(logId, operation.Signer, evidenceDigest, operation.Epoch, operation.Predecessor);
    }

    private static bool Says(string detail, string words) => detail.Contains(words, StringComparison.OrdinalIgnoreCase);
}
