using System.Runtime.InteropServices;
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
    private readonly Dictionary<ReceiptId, (StatementEntry Entry, int Index)> _byReceipt = [];
    private readonly List<StatementEntry> _byLeaf = [];
    private readonly Queue<StatementEntry> _prunable = new();
    private int _prunableReceipts;

    public ulong Leaves => (ulong)_byLeaf.Count;

    public StatementEntry? Find(in Hash256 id) => _byId.GetValueOrDefault(id);

    public (StatementEntry Entry, StatementRow Row)? Find(ReceiptId id) =>
        _byReceipt.TryGetValue(id, out var found) && found.Entry.Rows is { } rows ? (found.Entry, rows[found.Index]) : null;

    public StatementEntry AtLeaf(ulong leaf) => _byLeaf[checked((int)leaf)];

    public void Add(StatementEntry entry) => _byId.Add(entry.Id, entry);

    public void Remove(StatementEntry entry)
    {
        _byId.Remove(entry.Id);
        RemoveReceipts(entry);
    }

    /// <summary>Rows 0, 1, … of a whole batch.</summary>
    public void AddRows(StatementEntry entry, ReadOnlySpan<ReceiptId> receipts, ReadOnlySpan<Hash256> leaves)
    {
        if (entry.Rows is { Count: 0 }) entry.Rows = new RowSet(receipts.Length);
        for (var i = 0; i < receipts.Length; i++) AddRow(entry, (uint)i, receipts[i], leaves[i]);
    }

    public void AddRow(StatementEntry entry, uint number, in ReceiptId receipt, in Hash256 leaf)
    {
        if (entry.Rows is not { } rows) return;
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_byReceipt, receipt, out var known);
        if (known) return;
        place = (entry, rows.Count);
        rows.Add(number, receipt, leaf);
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
        _prunable.Enqueue(entry);
        _prunableReceipts += rows.Count;
        while (_prunableReceipts > maxFinalReceipts && _prunable.TryDequeue(out var oldest))
        {
            if (oldest.Rows is not { } old) continue;
            _prunableReceipts -= old.Count;
            if (oldest.Stage != ReceiptStage.Final) continue;
            RemoveReceipts(oldest);
            oldest.Rows = null;
        }
    }

    private void RemoveReceipts(StatementEntry entry)
    {
        if (entry.Rows is not { } rows) return;
        foreach (var receipt in rows.Receipts) _byReceipt.Remove(receipt);
    }
}
