using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>What was signed twice.</summary>
public enum EquivocationKind
{
    /// <summary>Two checkpoints of one size by one epoch key: the contract convicts it.</summary>
    Checkpoint,

    /// <summary>Two statements with one sequence number by one epoch key: the contract convicts it.</summary>
    Statement,

    /// <summary>Two notes of one size, or of histories that are not one, by the log's key: evidence for people and witnesses. The contract knows no such key.</summary>
    LogKey,
}

/// <summary>Two signatures for one position: what convicts a key.</summary>
/// <param name="Text">In words.</param>
/// <param name="Contract">Where the call goes; null where no contract judges.</param>
/// <param name="Call">The contract call, whole: anyone may send it. Empty where no contract judges.</param>
/// <param name="First">One of the two signed things, as bytes.</param>
/// <param name="Second">The other.</param>
public sealed record Equivocation(EquivocationKind Kind, string Text, EvmAddress? Contract, ReadOnlyMemory<byte> Call, ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Second)
{
    /// <summary>What two bundles convict a key of; null when they contradict each other nowhere.</summary>
    /// <exception cref="FormatException">A bundle's statement or evidence is malformed.</exception>
    public static Equivocation? Between(ReceiptBundle left, ReceiptBundle right)
    {
        var (first, second) = (Statement.Decode(left.Receipt.Statement.Span), Statement.Decode(right.Receipt.Statement.Span));
        if (first.LogId != second.LogId) return null;
        // Where the ledger is, the evidence or the checkpoint says.
        var contract = left.Evidence is { } evidence ? EpochBinding.Decode(evidence.Binding.Span).Contract : left.Checkpoint?.Contract ?? right.Checkpoint?.Contract ?? default;
        if (OfStatements(contract, left.Receipt.Statement, right.Receipt.Statement) is { } statements) return statements;
        return left.Checkpoint is { } one && right.Checkpoint is { } other ? OfCheckpoints(first.LogId, one, other) : null;
    }

    /// <summary>Two checkpoints as receipts' bundles carry them; null when they do not contradict each other. Signatures are not checked here: the contract does.</summary>
    public static Equivocation? OfCheckpoints(Hash256 logId, SignedCheckpoint a, SignedCheckpoint b)
    {
        if (a.Size != b.Size || a.Root == b.Root || a.ChainId != b.ChainId || a.Contract != b.Contract) return null;
        var same = a.Epoch == b.Epoch;
        var text = $"log {logId}: two checkpoints of size {a.Size}, roots {a.Root} and {b.Root}" + (same ? $", signed by epoch {a.Epoch}" : $", by epochs {a.Epoch} and {b.Epoch}: no one epoch key signed both, the log's key did");
        // Two epochs' keys are two signers for the contract; the notes are by the one log key.
        if (!same) return new(EquivocationKind.LogKey, text, null, default, a.Note, b.Note);
        return new(EquivocationKind.Checkpoint, text, a.Contract, AdjudicationAbi.ProveCheckpointEquivocation(logId, a, b), a.Note, b.Note);
    }

    /// <summary>Two statements; null unless they are two for one log, epoch and sequence number.</summary>
    /// <param name="contract">The ledger that judges.</param>
    public static Equivocation? OfStatements(EvmAddress contract, ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b)
    {
        const int position = 88; // tag, log, epoch, sequence
        var first = a.Span[..Statement.HeaderSize];
        var second = b.Span[..Statement.HeaderSize];
        if (!first[..position].SequenceEqual(second[..position]) || first.SequenceEqual(second)) return null;
        var statement = Statement.Decode(a.Span);
        return new(EquivocationKind.Statement, $"log {statement.LogId}: two statements with sequence number {statement.Sequence} of epoch {statement.Epoch}", contract, AdjudicationAbi.ProveStatementEquivocation(a.Span, b.Span), a, b);
    }

    /// <summary>Two notes of one log that no history has both of.</summary>
    public static Equivocation OfNotes(string origin, ulong size, ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) =>
        new(EquivocationKind.LogKey, $"log {origin}: two checkpoints that no one history has, the one of size {size}", null, default, a, b);
}
