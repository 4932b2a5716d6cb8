using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>What is known of one statement. Guarded by the state's lock.</summary>
internal sealed class StatementEntry(Hash256 id)
{
    public Hash256 Id => id;

    /// <summary>The record with the statement's bytes; meaningless before <see cref="DurableAt"/>.</summary>
    public RecordPosition Position { get; set; }

    public Hash256 Epoch { get; set; }

    /// <summary>The statement's place among those of its epoch.</summary>
    public ulong Sequence { get; set; }

    /// <summary>Receipts that the statement covers, by its own word.</summary>
    public int Receipts { get; set; }

    /// <summary>The rows this engine holds receipts of.</summary>
    public RowSet Rows { get; set; } = new(0);

    /// <summary>What the table of receipts calls it; 0 without rows there.</summary>
    public int Number { get; set; }

    public ulong ExecutedAt { get; set; }

    /// <summary>
    /// Since when this host has the statement: its execution, or the time at which its first receipt came back. Bound and
    /// objective count from here, so that nobody can hold up others by handing in a receipt that is old.
    /// </summary>
    public required ulong Since { get; init; }

    /// <summary>Where its receipts are counted; <see cref="ModelTable.Of(StatementEntry)"/> says where they are now.</summary>
    public required ModelSeries Series { get; set; }

    /// <summary>The objective has been met or missed.</summary>
    public bool IsJudged { get; set; }

    public ulong DurableAt { get; set; }

    public ulong VerifiedAt { get; set; }

    public ulong QuarantinedAt { get; set; }

    public VerificationReason[] Reasons { get; set; } = [];

    /// <summary>Null until the log has it.</summary>
    public ulong? Leaf { get; set; }

    /// <summary>The first anchor that covers the leaf; null until one is signed.</summary>
    public ChainOperation? Anchor { get; set; }

    /// <summary>The stage that was last counted and announced.</summary>
    public ReceiptStage Announced { get; set; } = ReceiptStage.Executed;

    public List<StageWaiter>? Waiters { get; set; }

    public ReceiptStage Stage =>
        QuarantinedAt != 0 ? ReceiptStage.Quarantined
        : Anchor is { IsFinal: true } ? ReceiptStage.Final
        : Anchor is { Inclusion: not null } ? ReceiptStage.Anchored
        : Anchor is { ReopenedAt: not 0 } ? ReceiptStage.Reopened
        : VerifiedAt != 0 ? ReceiptStage.Verified
        : DurableAt != 0 ? ReceiptStage.Durable
        : ReceiptStage.Executed;
}

/// <summary>Somebody who waits for a stage.</summary>
internal sealed class StageWaiter(ReceiptStage stage)
{
    private readonly TaskCompletionSource<WaitOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ReceiptStage Stage => stage;

    public Task<WaitOutcome> Done => _done.Task;

    public void Complete(WaitOutcome outcome) => _done.TrySetResult(outcome);
}
