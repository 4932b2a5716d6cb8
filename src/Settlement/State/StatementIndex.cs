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
    private readonly Queue<(StatementEntry Entry, int Receipts)> _prunable = new();
    private long _prunableReceipts;

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

    /// <summary>A receipt that came back; after its statement's receipts were forgotten it is known again for a while.</summary>
    public void AddRow(StatementEntry entry, in StatementRow row)
    {
        var wasForgotten = entry.Rows is null;
        entry.Rows ??= new RowSet(1);
        _byReceipt.Add(entry, row.Row, [row.Receipt], [row.Leaf]);
        if (wasForgotten) MarkFinal(entry);
    }

    public void AddLeaf(StatementEntry entry)
    {
        entry.Leaf = Leaves;
        _byLeaf.Add(entry);
    }

    /// <summary>A statement became final: its receipts may be forgotten when there are too many.</summary>
    public void MarkFinal(StatementEntry entry)
    {
        if (entry.Rows is not { } rows) return;
        _prunable.Enqueue((entry, rows.Count));
        _prunableReceipts += rows.Count;
        while (_prunableReceipts > maxFinalReceipts && _prunable.TryDequeue(out var oldest))
        {
            _prunableReceipts -= oldest.Receipts;
            // A statement that was reopened is in the queue again once it is final again.
            if (oldest.Entry.Stage == ReceiptStage.Final) _byReceipt.Remove(oldest.Entry);
        }
    }
}
