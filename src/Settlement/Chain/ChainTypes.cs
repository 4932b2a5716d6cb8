using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>An event of the contract.</summary>
public sealed record ChainEvent(EvmAddress Contract, Hash256[] Topics, ReadOnlyMemory<byte> Data, AnchorClaim At)
{
    /// <summary>Size and root that it says were anchored for this log; null when it is another event.</summary>
    public (ulong Size, Hash256 Root)? Anchored(Hash256 logId) => LedgerAbi.DecodeAnchored(logId, Topics, Data.Span);
}

/// <summary>What the chain says about a transaction that is in a block.</summary>
/// <param name="Paid">Wei that its sender paid for gas, with what a rollup adds for its data; null when the node does not say.</param>
public sealed record TransactionReceipt(
    bool Succeeded, Hash256 Transaction, ulong BlockNumber, Hash256 BlockHash, EvmAddress? Created, IReadOnlyList<ChainEvent> Events, UInt128? Paid = null);

/// <summary>A block tag that says what can no longer change.</summary>
public enum FinalityTag
{
    /// <summary>What the chain's own rules call final.</summary>
    Finalized,

    /// <summary>What an honest majority would have to give up together to undo: sooner, and less.</summary>
    Safe,
}

/// <summary>One look at the chain, taken in one batch call. Its parts may be one block apart.</summary>
/// <param name="FinalizedNumber">The block under the tag that was asked for; null where the chain has no such tag.</param>
/// <param name="Nonce">Transactions of the account in the latest block's state.</param>
/// <param name="Head">The contract's head of the log; null when there is no such contract.</param>
/// <param name="Receipts">For each watched hash that is in a block.</param>
public sealed record ChainObservation(
    ulong ChainId, ulong BlockNumber, Hash256 BlockHash, UInt128 BaseFee, ulong? FinalizedNumber, ulong Nonce, UInt128 Balance,
    (Hash256 Head, EvmAddress ActiveKey)? Head, IReadOnlyDictionary<Hash256, TransactionReceipt> Receipts);

/// <summary>A value, or why there is none.</summary>
/// <param name="Refused">The node answered with an error; otherwise nothing is known.</param>
/// <param name="RevertData">The bytes a contract reverted with, when the node passed them on.</param>
public readonly record struct ChainAnswer<T>(bool IsOk, T Value, bool Refused, string Detail, ReadOnlyMemory<byte> RevertData = default);
