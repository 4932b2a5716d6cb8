using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>Two bundles that convict a key: what it signed twice, and the call that proves it to the contract.</summary>
/// <param name="What">For people.</param>
/// <param name="Call">Of <see cref="AdjudicationAbi"/>; anybody may send it.</param>
public sealed record Equivocation(string What, ReadOnlyMemory<byte> Call)
{
    /// <summary>
    /// Two statements of one epoch with one sequence number, or two checkpoints of one log with one size and different
    /// roots; null when these two convict nobody. Signatures are not checked here: the contract does.
    /// </summary>
    /// <exception cref="FormatException">A bundle's statement is malformed.</exception>
    public static Equivocation? Between(ReceiptBundle first, ReceiptBundle second)
    {
        var (left, right) = (first.Receipt.Statement, second.Receipt.Statement);
        var (a, b) = (Statement.Decode(left.Span), Statement.Decode(right.Span));
        if (a.LogId != b.LogId) return null;
        var oneHeader = left.Span[..Statement.HeaderSize].SequenceEqual(right.Span[..Statement.HeaderSize]);
        if (a.Epoch == b.Epoch && a.Sequence == b.Sequence && !oneHeader)
            return new($"epoch {a.Epoch} of log {a.LogId} signed two statements with sequence {a.Sequence}", AdjudicationAbi.ProveStatementEquivocation(left.Span, right.Span));
        if (first.Checkpoint is not { } older || second.Checkpoint is not { } newer) return null;
        if (older.Size != newer.Size || older.Root == newer.Root || older.Epoch != newer.Epoch) return null;
        return new($"epoch {older.Epoch} of log {a.LogId} signed two checkpoints of size {older.Size}", AdjudicationAbi.ProveCheckpointEquivocation(a.LogId, older, newer));
    }
}
