using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>One look at the chain and everything that follows from it, in this order.</summary>
internal sealed class ChainStep(
    EvmChain chain, Reconciler reconciler, KeyRegistrar registrar, EpochGuard guard, BatchCloser closer, LogWriter log, Sender sender, ConditionBoard conditions,
    ITransactionSigner account, SettlementOptions options, Hash256 logId)
{
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        if (await ObserveAsync(cancellationToken).ConfigureAwait(false) is not { } seen) return;
        await reconciler.ReceiptsAsync(seen, cancellationToken).ConfigureAwait(false);
        if (!await reconciler.HeadAsync(seen, cancellationToken).ConfigureAwait(false)) return;
        if (guard.MaySign() && await registrar.EnsureAsync(seen, cancellationToken).ConfigureAwait(false) && !sender.HasPending && !conditions.ForbidCheckpoints)
            await closer.CloseIfDueAsync(seen, cancellationToken).ConfigureAwait(false);
        log.PublishDue();
        await sender.SendAsync(seen, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Null, and a condition by name, when the chain is not the one to work with.</summary>
    private async Task<ChainObservation?> ObserveAsync(CancellationToken cancellationToken)
    {
        var answer = await chain.ObserveAsync(account.Address, logId, options.UseFinalizedTag ? options.FinalityTag : null, reconciler.Watched(), cancellationToken).ConfigureAwait(false);
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
