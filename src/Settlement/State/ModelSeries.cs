using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>Counts and gaps of one model's receipts, by stage. Guarded by the state's lock.</summary>
internal sealed class ModelSeries(string name, byte[] utf8)
{
    private static readonly ReceiptStage[] OpenStages =
        [ReceiptStage.Executed, ReceiptStage.Durable, ReceiptStage.Verified, ReceiptStage.Anchored, ReceiptStage.Reopened];

    private static readonly ReceiptStage[] Measured = [ReceiptStage.Durable, ReceiptStage.Verified, ReceiptStage.Anchored, ReceiptStage.Final];

    private readonly long[] _receipts = new long[7];

    // Statements by the stage they stand at, as they came; one that has gone on is dropped when it gets to the front.
    private readonly Queue<StatementEntry>?[] _standing = new Queue<StatementEntry>?[7];
    private readonly GapHistogram?[] _gaps = new GapHistogram?[7];

    /// <summary>Of statements that come from the archive, which keeps no names: whoever counts one finds a place for it.</summary>
    public static ModelSeries Unnamed { get; } = new("", []) { IsRetired = true };

    public string Name => name;

    public ReadOnlySpan<byte> Utf8 => utf8;

    /// <summary>It has lost its place in the table: what still names it looks for its name again.</summary>
    public bool IsRetired { get; set; }

    public bool HasOpen => OpenStages.Any(stage => _receipts[(int)stage] > 0);

    public void Enter(StatementEntry entry) => Stand(entry, entry.Announced);

    /// <summary>The entry has moved; <see cref="StatementEntry.Announced"/> is the new stage already.</summary>
    public void Move(StatementEntry entry, ReceiptStage from)
    {
        Leave(entry, from);
        Stand(entry, entry.Announced);
    }

    public void Leave(StatementEntry entry, ReceiptStage from)
    {
        _receipts[(int)from] -= entry.Receipts;
        Trim(from);
    }

    public void Measure(ReceiptStage stage, ulong nanoseconds, int receipts) => (_gaps[(int)stage] ??= new()).Add(nanoseconds, receipts);

    public TimeSpan OldestAt(ReceiptStage stage, ulong now)
    {
        Trim(stage);
        return _standing[(int)stage] is { } standing && standing.TryPeek(out var oldest) && now > oldest.Since ? TimeSpan.FromTicks((long)((now - oldest.Since) / 100)) : TimeSpan.Zero;
    }

    public ModelGap Snapshot(ulong now) => new(
        name,
        [.. OpenStages.Select(stage => new OpenStage(stage, _receipts[(int)stage], OldestAt(stage, now)))],
        [.. Measured.Select(stage => new ReachedStage(stage, _gaps[(int)stage]?.Copy() ?? GapDistribution.Empty))]);

    private void Stand(StatementEntry entry, ReceiptStage stage)
    {
        _receipts[(int)stage] += entry.Receipts;
        if (stage is not (ReceiptStage.Final or ReceiptStage.Quarantined)) (_standing[(int)stage] ??= new()).Enqueue(entry);
    }

    private void Trim(ReceiptStage stage)
    {
        if (_standing[(int)stage] is not { } standing) return;
        while (standing.TryPeek(out var front) && front.Announced != stage) standing.Dequeue();
    }
}
