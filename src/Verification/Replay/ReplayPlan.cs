using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>How a row is to be executed again, from its class (docs/engine.md, "Replay").</summary>
internal static class ReplayPlan
{
    // A forged statement can name four billion rows. No batch of an honest engine has more: its rows are counted in 16 bits.
    private const uint MaxRows = 65_536;

    // The largest request an engine can be set to take is 2 GiB; batches that are served in time are far smaller.
    private const long MaxBatchBytes = 1L << 30;

    public static PaddingRule RuleOf(StatementContext context) => new((int)context.MinimumRows, (int)context.PaddingMultiple);

    /// <summary>Alone for class A, which promises that the batch does not matter; otherwise in place.</summary>
    public static ReplayShape Of(ReceiptContent content, bool hasRows) =>
        content.Statement.Context.Determinism == DeterminismClass.A && hasRows ? Alone(content) : InPlace(content);

    /// <summary>At the batch size and slot that the receipt states.</summary>
    public static ReplayShape InPlace(ReceiptContent content)
    {
        var (statement, leaf) = content;
        return new ReplayShape(leaf.Rows, (int)Math.Min(statement.BatchRows, int.MaxValue), (int)Math.Min(leaf.FirstSlot, int.MaxValue), Alone: statement.Receipts == 1);
    }

    /// <summary>Why nobody promised this row's bits, null when somebody did. It is executed all the same.</summary>
    public static UnreplayableReason? Reservation(ReceiptContent content) => content.Statement.Context.Determinism switch
    {
        DeterminismClass.U => UnreplayableReason.NotProbed,
        DeterminismClass.C when content.Statement.Receipts > 1 => UnreplayableReason.SharedBatch,
        _ => null,
    };

    public static bool IsTooLarge(ReplayShape shape, IReadOnlyList<NamedTensor> inputs) =>
        shape.BatchRows > MaxRows || inputs.Sum(input => (double)input.Data.Length / shape.Rows * shape.BatchRows) > MaxBatchBytes;

    private static ReplayShape Alone(ReceiptContent content)
    {
        var rows = content.Leaf.Rows;
        return new ReplayShape(rows, RuleOf(content.Statement.Context).RowsFor(rows), 0, Alone: true);
    }
}
