using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Finds the row of a receipt: open addressing, 8 bytes per place, at most half full. It keeps no ids, because the rows
/// have them. Receipt ids are digests, so their own bits are the hash; the places of a whole batch are fetched together,
/// which hides the memory's latency. Guarded by the state's lock.
/// </summary>
internal sealed class ReceiptTable
{
    // A place: 28 bits the statement's number here, 16 bits index of the row, 8 bits distance from where the id's hash
    // points, 12 bits of the id. Zero is empty: number 0 is not given out.
    private const int NumberShift = 36;
    private const int RowShift = 20;
    private const int DistanceShift = 12;
    private const uint MaxDistance = 255;
    private const uint TagMask = 0xfff;
    private const int SmallestSize = 1 << 10;

    private readonly List<StatementEntry?> _entries = [null];
    private readonly Stack<int> _freeNumbers = new();
    private ulong[] _places = new ulong[SmallestSize];
    private int _count;

    private int Mask => _places.Length - 1;

    public (StatementEntry Entry, StatementRow Row)? Find(in ReceiptId id)
    {
        var (at, tag) = Home(id);
        for (var distance = 0u; _places[at] is var place and not 0; distance++, at = (at + 1) & Mask)
            if (IsLike(place, distance, tag) && IdOf(place) == id) return (EntryOf(place), EntryOf(place).Rows[RowOf(place)]);
        return null;
    }

    /// <summary>Adds those rows that are not known yet to the table and to the entry; they are numbered from <paramref name="firstRow"/> on.</summary>
    public void Add(StatementEntry entry, uint firstRow, ReadOnlySpan<ReceiptId> receipts, ReadOnlySpan<Hash256> leaves)
    {
        var rows = entry.Rows;
        while (2L * (_count + receipts.Length) > _places.Length) Grow();
        Fetch(receipts);
        Number(entry);
        for (var i = 0; i < receipts.Length; i++)
        {
            bool? claimed;
            while ((claimed = Claim(receipts[i], entry.Number, rows.Count)) is null) Grow();
            if (claimed.Value) rows.Add(firstRow + (uint)i, receipts[i], leaves[i]);
        }
    }

    /// <summary>Forgets the entry's rows.</summary>
    public void Remove(StatementEntry entry)
    {
        if (entry.Number == 0) return;
        var receipts = entry.Rows.Receipts;
        Fetch(receipts);
        for (var i = 0; i < receipts.Length; i++) Release(receipts[i], Place(entry.Number, i));
        _entries[entry.Number] = null;
        _freeNumbers.Push(entry.Number);
        entry.Number = 0;
    }

    private static ulong Place(int number, int row) => ((ulong)number << NumberShift) | ((ulong)row << RowShift);

    private static bool IsLike(ulong place, uint distance, uint tag) => (uint)(place & ((1 << RowShift) - 1)) == ((distance << DistanceShift) | tag);

    private static int RowOf(ulong place) => (ushort)(place >> RowShift);

    private static uint DistanceOf(ulong place) => (byte)(place >> DistanceShift);

    private StatementEntry EntryOf(ulong place) => _entries[(int)(place >> NumberShift)]!;

    private ReceiptId IdOf(ulong place) => EntryOf(place).Rows.Receipts[RowOf(place)];

    private (int At, uint Tag) Home(in ReceiptId id)
    {
        var hash = MemoryMarshal.Read<ulong>(id.Bytes);
        return ((int)hash & Mask, (uint)(hash >> 40) & TagMask);
    }

    private unsafe void Fetch(ReadOnlySpan<ReceiptId> receipts)
    {
        if (!Sse.IsSupported) return;
        fixed (ulong* places = _places)
            foreach (ref readonly var receipt in receipts) Sse.Prefetch0(places + Home(receipt).At);
    }

    private void Number(StatementEntry entry)
    {
        if (entry.Number != 0) return;
        if (!_freeNumbers.TryPop(out var number))
        {
            number = _entries.Count;
            _entries.Add(null);
        }

        (_entries[number], entry.Number) = (entry, number);
    }

    // True: it has a place now. False: it was known. Null: too far from home, the table has to grow.
    private bool? Claim(in ReceiptId id, int number, int row)
    {
        var (at, tag) = Home(id);
        for (var distance = 0u; distance <= MaxDistance; distance++, at = (at + 1) & Mask)
        {
            var place = _places[at];
            if (place == 0)
            {
                _places[at] = Place(number, row) | (distance << DistanceShift) | tag;
                _count++;
                return true;
            }

            if (IsLike(place, distance, tag) && IdOf(place) == id) return false;
        }

        return null;
    }

    private void Release(in ReceiptId id, ulong owner)
    {
        var (at, _) = Home(id);
        while (_places[at] >> RowShift != owner >> RowShift) at = (at + 1) & Mask;
        // What comes behind moves up as far as it may, so that no gap ends a search too early.
        for (int gap = at, next = (at + 1) & Mask; ; next = (next + 1) & Mask)
        {
            var place = _places[next];
            var step = (uint)((next - gap) & Mask);
            if (place != 0 && DistanceOf(place) < step) continue;
            _places[gap] = place == 0 ? 0 : place - ((ulong)step << DistanceShift);
            if (place == 0) break;
            gap = next;
        }

        _count--;
    }

    private void Grow()
    {
        _places = new ulong[_places.Length * 2];
        _count = 0;
        foreach (var entry in _entries)
        {
            if (entry is null) continue;
            var receipts = entry.Rows.Receipts;
            Fetch(receipts);
            for (var i = 0; i < receipts.Length; i++)
                if (Claim(receipts[i], entry.Number, i) is null) throw new InvalidOperationException("receipt ids are not spread as digests are");
        }
    }
}
