using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// The rows of a statement at one moment. It shares the arrays of its <see cref="RowSet"/>, which only ever writes
/// behind what was captured, so it may be read without the state's lock.
/// </summary>
internal readonly struct RowCapture(ReceiptId[] receipts, Hash256[] leaves, uint[]? numbers, int count)
{
    public int Count => count;

    public bool AreNumbered => numbers is not null;

    public ReadOnlySpan<ReceiptId> Receipts => receipts.AsSpan(0, count);

    public ReadOnlySpan<Hash256> Leaves => leaves.AsSpan(0, count);

    public StatementRow this[int index] => new(numbers is null ? (uint)index : numbers[index], receipts[index], leaves[index]);
}
