using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>A durable statement at one moment, for whoever writes it down beside the state's lock.</summary>
internal sealed record StatementCapture
{
    public required Hash256 Id { get; init; }

    public required RecordPosition Position { get; init; }

    public required Hash256 Epoch { get; init; }

    public required ulong Sequence { get; init; }

    public required int Receipts { get; init; }

    public required ulong ExecutedAt { get; init; }

    public required ulong Since { get; init; }

    /// <summary>UTF-8; empty when the model has no figures of its own.</summary>
    public required byte[] Model { get; init; }

    public required ulong DurableAt { get; init; }

    public required ulong VerifiedAt { get; init; }

    public required ulong QuarantinedAt { get; init; }

    public required IReadOnlyList<VerificationReason> Reasons { get; init; }

    public required ulong? Leaf { get; init; }

    /// <summary>Number of the anchor's operation; null while none covers the leaf.</summary>
    public required ulong? Anchor { get; init; }

    public required RowCapture Rows { get; init; }

    /// <summary>Called under the state's lock.</summary>
    public static StatementCapture Of(StatementEntry entry) => new()
    {
        Id = entry.Id, Position = entry.Position, Epoch = entry.Epoch, Sequence = entry.Sequence, Receipts = entry.Receipts, ExecutedAt = entry.ExecutedAt,
        Since = entry.Since, Model = entry.Series.Utf8.ToArray(),
        DurableAt = entry.DurableAt, VerifiedAt = entry.VerifiedAt, QuarantinedAt = entry.QuarantinedAt, Reasons = entry.Reasons, Leaf = entry.Leaf,
        Anchor = entry.Anchor?.Id, Rows = entry.Rows.Capture(),
    };

    /// <summary>The statement in memory again.</summary>
    public StatementEntry ToEntry(ChainOperation? anchor, ModelSeries series) => new(Id)
    {
        Position = Position, Epoch = Epoch, Sequence = Sequence, Receipts = Receipts, ExecutedAt = ExecutedAt, DurableAt = DurableAt, VerifiedAt = VerifiedAt,
        QuarantinedAt = QuarantinedAt, Reasons = [.. Reasons], Leaf = Leaf, Anchor = anchor, Since = Since, Series = series,
    };
}
