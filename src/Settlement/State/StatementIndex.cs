using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Finds statements by id, by receipt and by leaf. Statements stay for ever (some hundred bytes each); receipts of final
/// statements leave, oldest first, beyond a bound. Guarded by the state's lock.
/// </summary>
internal sealed class StatementIndex(int maxFinalReceipts)
{
    private readonly Dictionary<Hash256, StatementEntry> _byId = [];
    private readonly ReceiptTable _byReceipt = new();
    private readonly List<StatementEntry> _byLeaf = [];
    private readonly Queue<StatementEntry> _prunable = new();
    private int _prunableReceipts;

    public ulong Leaves => (ulong)_byLeaf.Count;

    public StatementEntry? Find(in Hash256 id) => _byId.GetValueOrDefault(id);

    public (StatementEntry Entry, StatementRow Row)? Find(in ReceiptId id) => _byReceipt.Find(id);

    public StatementEntry AtLeaf(ulong leaf) => _byLeaf[checked((int)leaf)];

    public void Add(StatementEntry entry) => _byId.Add(entry.Id, entry);

    public void Remove(StatementEntry entry)
    {
        _byId.Remove(entry.Id);
        _byReceipt.Remove(entry);
    }

    /// <summary>Rows 0, 1, … of a whole batch.</summary>
    public void AddRows(StatementEntry entry, ReadOnlySpan<ReceiptId> receipts, ReadOnlySpan<Hash256> leaves)
    {
        if (entry.Rows is { Count: 0 }) entry.Rows = new RowSet(receipts.Length);
        _byReceipt.Add(entry, 0, receipts, leaves);
    }

    public void AddRow(StatementEntry entry, in StatementRow row) => _byReceipt.Add(entry, row.Row, [row.Receipt], [row.Leaf]);

    public void AddLeaf(StatementEntry entry)
    {
        entry.Leaf = Leaves;
        _byLeaf.Add(entry);
    }

    /// <summary>A statement became final: its receipts may be forgotten when there are too many.</summary>
    public void MarkFinal(StatementEntry entry)
    {
        if (entry.Rows is not { } rows) return;
        _prunable.Enqueue(entry);
        _prunableReceipts += rows.Count;
        while (_prunableReceipts > maxFinalReceipts && _prunable.TryDequeue(out var oldest))
        {
            if (oldest.Rows is not { } old) continue;
            _prunableReceipts -= old.Count;
            if (oldest.Stage != ReceiptStage.Final) continue;
            _byReceipt.Remove(oldest);
        }
    }
}
