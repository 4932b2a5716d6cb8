using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>What anchors, and needs the paying account: no enclave's key.</summary>
internal sealed record Anchoring(Reconciler Reconciler, KeyRegistrar Registrar, Sender Sender, ITransactionSigner Account, Func<ulong, ulong>? Nonce = null);

/// <summary>What signs checkpoints and publishes the log, and needs the enclave's keys: no paying account.</summary>
internal sealed record Signing(BatchCloser Closer, LogWriter Log, EpochStanding Standing, SigningEpochs Epochs);

/// <summary>
/// One look at the chain and everything that follows from it, in this order. One process does both parts, or an engine
/// signs what a worker anchors; each then does its own. A halted epoch's key is neither registered nor signs.
/// </summary>
internal sealed class ChainStep(
    EvmChain chain, Anchoring? anchoring, Signing? signing, EpochGuard epochs, ConditionBoard conditions, SettlementOptions options, Hash256 logId)
{
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        signing?.Epochs.TakeOver();
        if (await ObserveAsync(cancellationToken).ConfigureAwait(false) is not { } seen) return;
        if (anchoring is not null)
        {
            await anchoring.Reconciler.ReceiptsAsync(seen, cancellationToken).ConfigureAwait(false);
            if (!await anchoring.Reconciler.HeadAsync(seen, cancellationToken).ConfigureAwait(false)) return;
        }

        var ready = epochs.MaySign() && await IsReadyAsync(seen, cancellationToken).ConfigureAwait(false);
        if (signing is not null)
        {
            if (ready && !conditions.ForbidCheckpoints) await signing.Closer.CloseIfDueAsync(seen, cancellationToken).ConfigureAwait(false);
            signing.Log.PublishDue();
        }

        if (anchoring is not null) await anchoring.Sender.SendAsync(seen with { Nonce = anchoring.Nonce?.Invoke(seen.Nonce) ?? seen.Nonce }, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> IsReadyAsync(ChainObservation seen, CancellationToken cancellationToken) => anchoring is not null
        ? await anchoring.Registrar.EnsureAsync(seen, cancellationToken).ConfigureAwait(false) && !anchoring.Sender.HasPending
        : signing!.Standing.IsReady(seen);

    /// <summary>Null, and a condition by name, when the chain is not the one to work with.</summary>
    private async Task<ChainObservation?> ObserveAsync(CancellationToken cancellationToken)
    {
        var answer = await chain.ObserveAsync(
            anchoring?.Account.Address ?? default, logId, anchoring is not null && options.UseFinalizedTag ? options.FinalityTag : null, anchoring?.Reconciler.Watched() ?? [], cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk)
        {
            conditions.Set(ConditionKind.ChainUnreachable, $"the chain does not answer: {answer.Detail}", "check the node and its address; receipts wait durably and settlement goes on by itself");
            return null;
        }

        conditions.Clear(ConditionKind.ChainUnreachable);
        if (answer.Value.ChainId != options.ChainId)
        {
            conditions.Set(ConditionKind.WrongChain, $"the node serves chain {answer.Value.ChainId}, not chain {options.ChainId}", "point the engine at the right node; nothing is signed until then");
            return null;
        }

        conditions.Clear(ConditionKind.WrongChain);
        if (answer.Value.Head is null)
        {
            conditions.Set(ConditionKind.ContractMissing, $"there is no ledger contract at {options.Contract} on chain {options.ChainId}", "check the contract's address, or deploy it on a development chain");
            return null;
        }

        conditions.Clear(ConditionKind.ContractMissing);
        return answer.Value;
    }
}
