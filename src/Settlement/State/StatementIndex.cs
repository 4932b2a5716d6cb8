using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Finds the statements in memory by id, by receipt and by leaf: all that are open, quarantined or lately final, and
/// those that changed after they had been archived. Older ones are the archive's. Guarded by the state's lock.
/// </summary>
internal sealed class StatementIndex(StatementArchive archive, OperationLog operations)
{
    private readonly Dictionary<Hash256, StatementEntry> _byId = [];
    private readonly ReceiptTable _byReceipt = new();
    private readonly List<StatementEntry> _byLeaf = [];                   // from leaf _first on
    private readonly Dictionary<ulong, StatementEntry> _recalled = [];    // below _first
    private ulong _first;
    private ulong _settled;        // leaves _first to this are final, as far as was looked
    private long _settledReceipts; // receipts and statements in them

    public ulong Leaves => _first + (ulong)_byLeaf.Count;

    /// <summary>Every statement in memory.</summary>
    public IReadOnlyCollection<StatementEntry> InMemory => _byId.Values;

    public StatementEntry? Find(in Hash256 id) => _byId.GetValueOrDefault(id);

    public (StatementEntry Entry, StatementRow Row)? Find(in ReceiptId id) => _byReceipt.Find(id);

    /// <summary>The statement of a leaf; of an archived one a copy, for reading.</summary>
    public StatementEntry AtLeaf(ulong leaf) => InMemoryAt(leaf) ?? archive.Read(leaf) switch
    {
        var old => ArchiveRecall.ToEntry(old, archive.EpochOf(old), operations[checked((int)old.Anchor)]),
    };

    /// <summary>Null when it is in the archive alone.</summary>
    public StatementEntry? InMemoryAt(ulong leaf) => leaf >= _first ? _byLeaf[checked((int)(leaf - _first))] : _recalled.GetValueOrDefault(leaf);

    public void Add(StatementEntry entry) => _byId.Add(entry.Id, entry);

    public void Remove(StatementEntry entry)
    {
        _byId.Remove(entry.Id);
        _byReceipt.Remove(entry);
    }

    /// <summary>Rows 0, 1, … of a whole batch.</summary>
    public void AddRows(StatementEntry entry, ReadOnlySpan<ReceiptId> receipts, ReadOnlySpan<Hash256> leaves)
    {
        if (entry.Rows.Count == 0) entry.Rows = new RowSet(receipts.Length);
        _byReceipt.Add(entry, 0, receipts, leaves);
    }

    public void AddRow(StatementEntry entry, in StatementRow row) => _byReceipt.Add(entry, row.Row, [row.Receipt], [row.Leaf]);

    public void AddLeaf(StatementEntry entry)
    {
        entry.Leaf = Leaves;
        _byLeaf.Add(entry);
    }

    /// <summary>Brings an archived statement back, because a record speaks of it again. It stays in memory from then on.</summary>
    public StatementEntry Recall(ArchivedStatement old)
    {
        var entry = ArchiveRecall.ToEntry(old, archive.EpochOf(old), operations.ForChange(old.Anchor));
        var rows = archive.ReadRows(old);
        entry.Announced = entry.Stage; // it has been counted
        entry.Rows = new RowSet(rows.Count);
        _byId.Add(entry.Id, entry);
        _recalled.Add(old.Leaf, entry);
        for (var i = 0; i < rows.Count; i++) AddRow(entry, rows[i]);
        return entry;
    }

    /// <summary>Brings back the archived statements that this operation is the anchor of.</summary>
    public void RecallAll(ChainOperation operation)
    {
        for (var leaf = operation.FirstLeaf; leaf < Math.Min(operation.Checkpoint?.Size ?? 0, _first); leaf++)
            if (!_recalled.ContainsKey(leaf) && archive.Read(leaf) is var old && old.Anchor == operation.Id) Recall(old);
    }

    /// <summary>What was looked through may not be final any more: looks again from the beginning.</summary>
    public void Reconsider() => (_settled, _settledReceipts) = (_first, 0);

    /// <summary>
    /// The oldest statements in memory, all final, that may leave it so that about <paramref name="keep"/> receipts of final
    /// statements stay; none while it is not worth a step.
    /// </summary>
    public List<StatementCapture> TakeSettled(long keep, long step)
    {
        for (; _settled < Leaves && InMemoryAt(_settled)!.Stage == ReceiptStage.Final; _settled++) _settledReceipts += WeightOf(InMemoryAt(_settled)!);
        var taken = new List<StatementCapture>();
        if (_settledReceipts < keep + step) return taken;
        var left = _settledReceipts;
        for (var leaf = _first; leaf < _settled && left > keep && _settledReceipts - left < step; leaf++)
        {
            var entry = InMemoryAt(leaf)!;
            left -= WeightOf(entry);
            taken.Add(StatementCapture.Of(entry));
        }

        return taken;
    }

    /// <summary>These are in the archive now and leave memory, unless they changed meanwhile.</summary>
    public void Release(IReadOnlyList<StatementCapture> archived)
    {
        for (var i = 0; i < archived.Count; i++)
        {
            var (was, entry) = (archived[i], _byLeaf[i]);
            var same = entry.Stage == ReceiptStage.Final && entry.Anchor!.Id == was.Anchor && entry.Rows.Count == was.Rows.Count && entry.Waiters is not { Count: > 0 };
            if (same) Remove(entry);
            else _recalled.Add(entry.Leaf!.Value, entry);
        }

        _byLeaf.RemoveRange(0, archived.Count);
        _first += (ulong)archived.Count;
        Reconsider();
    }

    /// <summary>Takes over a statement that a snapshot held; those with leaves in the order of their leaves. True when the archive has an older state of it.</summary>
    public bool Restore(StatementEntry entry, in RowCapture rows)
    {
        _byId.Add(entry.Id, entry);
        entry.Rows = new RowSet(rows.Count);
        for (var i = 0; i < rows.Count; i++) AddRow(entry, rows[i]);
        if (entry.Leaf is not { } leaf) return false;
        if (leaf < archive.Statements)
        {
            _recalled.Add(leaf, entry);
            return true;
        }

        if (leaf != Leaves) throw new FormatException($"snapshot: leaf {leaf} where leaf {Leaves} comes next");
        _byLeaf.Add(entry);
        return false;
    }

    /// <summary>Before anything is restored: leaves in memory begin behind the archive's.</summary>
    public void BeginBehindArchive() => _first = _settled = archive.Statements;

    private static long WeightOf(StatementEntry entry) => entry.Rows.Count + 1;
}
