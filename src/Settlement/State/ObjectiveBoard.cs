using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Holds the receipts against the objective: each is judged once, when it reaches the objective's stage or when its time is
/// over, whichever comes first, so a chain that stands still burns the budget although nothing arrives. Guarded by the
/// state's lock.
/// </summary>
internal sealed class ObjectiveBoard(TrustGapObjective objective)
{
    private static readonly TimeSpan Short = TimeSpan.FromMinutes(5), Long = TimeSpan.FromHours(1);

    private readonly ulong _within = (ulong)objective.Within.Ticks * 100;
    private readonly SlidingCounts _counts = new();
    private readonly Queue<StatementEntry> _due = new(); // as they came; judged ones leave from the front
    private long _met;
    private long _missed;

    /// <summary>Off while the journal is replayed: what an earlier life judged is not this one's measurement.</summary>
    public bool Measuring { get; set; }

    public void Enter(StatementEntry entry) => _due.Enqueue(entry);

    public void Moved(StatementEntry entry, ReceiptStage stage, ulong now)
    {
        // Quarantined: its time will not be met any more.
        if (IsOver(stage)) Judge(entry, stage != ReceiptStage.Quarantined && now <= entry.Since + _within, now);
        Advance(now);
    }

    /// <summary>Whether a receipt at this stage has met the objective or never will.</summary>
    public bool IsOver(ReceiptStage stage) => stage == ReceiptStage.Quarantined || (stage <= ReceiptStage.Final && stage >= objective.Stage);

    /// <summary>Judges what has run out of time.</summary>
    public void Advance(ulong now)
    {
        while (_due.TryPeek(out var entry) && (entry.IsJudged || (Measuring && now > entry.Since + _within)))
        {
            Judge(entry, false, now);
            _due.Dequeue();
        }
    }

    public ObjectiveSnapshot Snapshot(ulong now)
    {
        Advance(now);
        return new(objective, _met, _missed, BurnRate(now, Short), BurnRate(now, Long));
    }

    private void Judge(StatementEntry entry, bool isMet, ulong now)
    {
        if (entry.IsJudged) return;
        entry.IsJudged = true;
        if (!Measuring) return;
        if (isMet) _met += entry.Receipts;
        else _missed += entry.Receipts;
        _counts.Add(now, isMet, entry.Receipts);
    }

    private double BurnRate(ulong now, TimeSpan window)
    {
        var (good, bad) = _counts.Within(now, window);
        return bad == 0 ? 0 : (double)bad / (good + bad) / (1 - objective.Share);
    }
}
