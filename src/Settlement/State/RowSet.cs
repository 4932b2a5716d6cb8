using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>The rows of one statement that this engine holds receipts of, in arrays. Guarded by the state's lock.</summary>
internal sealed class RowSet(int capacity)
{
    private ReceiptId[] _receipts = new ReceiptId[capacity];
    private Hash256[] _leaves = new Hash256[capacity];
    private uint[]? _numbers; // null while every row lies at the index of its own number, as a whole batch does

    public int Count { get; private set; }

    public ReadOnlySpan<ReceiptId> Receipts => _receipts.AsSpan(0, Count);

    public StatementRow this[int index] => new(_numbers is null ? (uint)index : _numbers[index], _receipts[index], _leaves[index]);

    public void Add(uint number, in ReceiptId receipt, in Hash256 leaf)
    {
        if (Count == _receipts.Length) Grow(Count + 4);
        if (number != Count) _numbers ??= NumbersSoFar();
        _receipts[Count] = receipt;
        _leaves[Count] = leaf;
        if (_numbers is not null) _numbers[Count] = number;
        Count++;
    }

    /// <summary>Row numbers and leaves in the order of the numbers.</summary>
    public (uint Row, Hash256 Leaf)[] Leaves()
    {
        var leaves = new (uint Row, Hash256 Leaf)[Count];
        for (var i = 0; i < leaves.Length; i++) leaves[i] = (_numbers is null ? (uint)i : _numbers[i], _leaves[i]);
        if (_numbers is not null) Array.Sort(leaves, (x, y) => x.Row.CompareTo(y.Row));
        return leaves;
    }

    /// <summary>The rows as they are now.</summary>
    public RowCapture Capture() => new(_receipts, _leaves, _numbers, Count);

    private void Grow(int capacity)
    {
        Array.Resize(ref _receipts, capacity);
        Array.Resize(ref _leaves, capacity);
        if (_numbers is not null) Array.Resize(ref _numbers, capacity);
    }

    private uint[] NumbersSoFar()
    {
        var numbers = new uint[_receipts.Length];
        for (var i = 0; i < Count; i++) numbers[i] = (uint)i;
        return numbers;
    }
}
