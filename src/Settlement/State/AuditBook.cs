using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Draws, their outcomes and halted epochs, rebuilt from the journal. What is over leaves memory, oldest first, beyond a bound;
/// what waits and what is disputed stays. Guarded by the state's lock.
/// </summary>
internal sealed class AuditBook(int maxConcluded)
{
    // What /v1/audit shows; a draw is one settlement batch.
    private const int RecentDraws = 32;

    private readonly Dictionary<(Hash256 Statement, uint Row), AuditedRow> _rows = [];
    private readonly Dictionary<Hash256, List<uint>> _rowsOf = [];
    private readonly Queue<(Hash256 Statement, uint Row)> _concluded = new();
    private readonly Queue<(Hash256 Statement, uint Row)> _due = new();
    private readonly List<AuditedRow> _disputes = [];
    private readonly HashSet<ulong> _drawn = [];
    private readonly Dictionary<ulong, int> _drawing = [];
    private readonly LinkedList<AnchorDraw> _recent = new();
    private readonly long[] _outcomes = new long[Enum.GetValues<AuditOutcome>().Length];
    private readonly long[] _reasons = new long[Enum.GetValues<AuditReason>().Length];
    private long _draws;

    // Replaced whole, so that sealing may ask without the state's lock.
    private volatile IReadOnlyDictionary<Hash256, EpochHalt> _halts = new Dictionary<Hash256, EpochHalt>();

    /// <summary>The first operation that draws are made for; null before auditing began.</summary>
    public ulong? Begun { get; private set; }

    public IReadOnlyList<AuditedRow> Disputes => _disputes;

    /// <summary>Operations before this one need no look: they are drawn for, or are no anchors.</summary>
    public ulong From { get; set; }

    /// <summary>Newest first.</summary>
    public IEnumerable<AnchorDraw> Recent => _recent;

    /// <summary>By epoch. May be read without the lock.</summary>
    public IReadOnlyDictionary<Hash256, EpochHalt> Halts => _halts;

    public AuditTotals Totals => new(
        Enum.GetValues<AuditOutcome>().ToDictionary(outcome => outcome, outcome => _outcomes[(int)outcome]),
        Enum.GetValues<AuditReason>().Where(reason => _reasons[(int)reason] > 0).ToDictionary(reason => reason, reason => _reasons[(int)reason]),
        _draws);

    public bool IsDrawn(ulong operation) => _drawn.Contains(operation);

    public AuditedRow? Find(in Hash256 statement, uint row) => _rows.GetValueOrDefault((statement, row));

    /// <summary>By row.</summary>
    public IReadOnlyList<AuditedRow> Of(Hash256 statement) =>
        _rowsOf.TryGetValue(statement, out var rows) ? [.. rows.Order().Select(row => _rows[(statement, row)])] : [];

    /// <summary>The oldest rows that were drawn and not concluded.</summary>
    public List<AuditedRow> Due(int max)
    {
        var due = new List<AuditedRow>();
        for (var left = _due.Count; left > 0 && due.Count < max; left--)
        {
            var key = _due.Dequeue();
            if (!_rows.TryGetValue(key, out var row) || row.Outcome != AuditOutcome.Sampled) continue;
            due.Add(row);
            _due.Enqueue(key);
        }

        return due;
    }

    public void Apply(AuditedRecord record, ChainOperation? operation)
    {
        if (record.Kind == AuditRecordKind.Begun)
        {
            Begun ??= record.Operation;
            return;
        }

        foreach (var row in record.Rows) Apply(row);
        if (record.Kind == AuditRecordKind.Concluded) return;
        var rows = _drawing.GetValueOrDefault(record.Operation) + record.Rows.Length;
        _drawing[record.Operation] = rows;
        if (record.Kind != AuditRecordKind.DrawnToTheEnd) return;
        _drawing.Remove(record.Operation);
        if (!_drawn.Add(record.Operation)) return;
        _draws++;
        if (operation is { Checkpoint: { } signed }) Remember(new AnchorDraw(AnchorOf(operation, signed, record.Beacon), record.Beacon, record.OneIn, rows, record.Time));
    }

    public void Apply(HaltedRecord record)
    {
        if (!_halts.ContainsKey(record.Halt.Epoch)) _halts = new Dictionary<Hash256, EpochHalt>(_halts) { [record.Halt.Epoch] = record.Halt };
    }

    /// <summary>The anchor's block is no more, or the anchor came after all: what it will be in decides another draw.</summary>
    public void Forget(ChainOperation operation)
    {
        _drawn.Remove(operation.Id);
        From = Math.Min(From, operation.Id);
    }

    public static AuditableAnchor AnchorOf(ChainOperation operation, SignedCheckpoint signed, AuditBeacon? beacon = null) => new(
        operation.Id, LogHead.SizeOf(signed.PreviousHead), signed.Size, signed.Root, signed.ChainId,
        operation.Inclusion?.BlockNumber ?? (beacon?.BlockNumber ?? AuditDraw.BeaconDistance) - AuditDraw.BeaconDistance);

    private void Apply(AuditedRow row)
    {
        var key = (row.Statement, row.Row);
        var before = _rows.GetValueOrDefault(key);
        // A draw that a crash cut off, or that a reorganisation repeated, picks rows that were picked before.
        if (row.Outcome == AuditOutcome.Sampled && before is not null) return;
        if (before is not null) Count(before, -1);
        Count(row, 1);
        _rows[key] = row;
        if (before is null)
        {
            if (!_rowsOf.TryGetValue(row.Statement, out var rows)) _rowsOf[row.Statement] = rows = new List<uint>(1);
            rows.Add(row.Row);
        }

        switch (row.Outcome)
        {
            case AuditOutcome.Sampled: _due.Enqueue(key); break;
            case AuditOutcome.Disputed: _disputes.Add(row); break;
            default: Conclude(key); break;
        }
    }

    private void Conclude((Hash256 Statement, uint Row) key)
    {
        _concluded.Enqueue(key);
        while (_concluded.Count > maxConcluded)
        {
            var oldest = _concluded.Dequeue();
            if (!_rows.Remove(oldest)) continue;
            var rows = _rowsOf[oldest.Statement];
            rows.Remove(oldest.Row);
            if (rows.Count == 0) _rowsOf.Remove(oldest.Statement);
        }
    }

    private void Count(AuditedRow row, int by)
    {
        _outcomes[(int)row.Outcome] += by;
        _reasons[(int)row.Reason] += row.Outcome == AuditOutcome.NotReproducible ? by : 0;
    }

    private void Remember(AnchorDraw draw)
    {
        _recent.AddFirst(draw);
        if (_recent.Count > RecentDraws) _recent.RemoveLast();
    }
}
