using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>How waiting for a stage ended.</summary>
public enum WaitStatus
{
    /// <summary>The stage was reached.</summary>
    Reached,

    /// <summary>A check failed: the stage will not be reached.</summary>
    Quarantined,

    /// <summary>No such receipt or statement is known here.</summary>
    Unknown,

    /// <summary>It could not be stored; the receipt stays a signed promise that its holder can resubmit.</summary>
    NotStored,
}

public readonly record struct WaitOutcome(WaitStatus Status, ReceiptStage Stage);

/// <summary>Where a statement stands, and since when. Times are nanoseconds since 1970; null: not yet.</summary>
public sealed record StatementStatus(Hash256 StatementId, ReceiptStage Stage)
{
    public required Hash256 Epoch { get; init; }

    public required int Receipts { get; init; }

    /// <summary>The host's word, from the statement.</summary>
    public required ulong ExecutedAt { get; init; }

    public ulong? DurableAt { get; init; }

    public ulong? VerifiedAt { get; init; }

    public ulong? AnchoredAt { get; init; }

    public ulong? FinalAt { get; init; }

    public ulong? QuarantinedAt { get; init; }

    public ulong? ReopenedAt { get; init; }

    public IReadOnlyList<VerificationReason> Reasons { get; init; } = [];

    public ulong? Leaf { get; init; }

    public AnchorClaim? Inclusion { get; init; }

    /// <summary>Why the settlement batch that anchors it was closed.</summary>
    public CloseReason ClosedBecause { get; init; }

    /// <summary>Its rows that a draw picked, by row; of old statements those that are disputed.</summary>
    public IReadOnlyList<AuditedRow> Audits { get; init; } = [];
}

/// <summary>Where a receipt stands.</summary>
/// <param name="Row">Its row within the statement.</param>
/// <param name="Leaf">Its row leaf hash: what public views show.</param>
public sealed record ReceiptStatus(ReceiptId Receipt, uint Row, Hash256 Leaf, StatementStatus Statement)
{
    /// <summary>What the audit says of it; null when no draw picked it.</summary>
    public AuditedRow? Audit { get; init; }
}

/// <summary>A statement moved to a stage.</summary>
/// <param name="At">Nanoseconds since 1970.</param>
/// <param name="Missed">Changes that this reader lost before this one because it was slow.</param>
public readonly record struct StageChange(Hash256 StatementId, int Receipts, ReceiptStage Stage, ulong At, long Missed);

/// <summary>The trust gap at one moment.</summary>
/// <param name="OpenByStage">Receipts that are neither final nor quarantined, by stage.</param>
/// <param name="OldestOpen">How long ago the oldest open receipt was executed, or came back from its holder.</param>
public sealed record TrustGapSnapshot(
    IReadOnlyDictionary<ReceiptStage, long> OpenByStage, long Open, TimeSpan OldestOpen, long Final, long Quarantined,
    GapPercentiles Durable, GapPercentiles Verified, GapPercentiles Anchored, GapPercentiles ToFinal)
{
    /// <summary>The same age by the stage at which the oldest one stands; zero where none does.</summary>
    public required IReadOnlyDictionary<ReceiptStage, TimeSpan> OldestByStage { get; init; }

    public required ObjectiveSnapshot Objective { get; init; }

    public required CloseSnapshot Closes { get; init; }
}
