using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>How many receipts held and how many did not.</summary>
internal readonly record struct ReceiptCount(long Verified, long Failed)
{
    public static ReceiptCount operator +(ReceiptCount left, ReceiptCount right) => new(left.Verified + right.Verified, left.Failed + right.Failed);
}

/// <summary>Checks receipts of one model against what was sent and received, after the measured window. Safe for concurrent calls.</summary>
internal sealed class ReceiptChecker(StatementChecker statements, ModelInfo model)
{
    private readonly OutputDigest _outputs = new(model.Outputs);

    /// <summary>Statements checked so far are not held any longer.</summary>
    public void Forget() => statements.Forget();

    /// <summary>Whether the receipt commits to this request of one row, this answer and this model, in a statement that its epoch signed.</summary>
    public bool Holds(Receipt receipt, in Hash256 request, ReadOnlySpan<byte> outputs)
    {
        if (statements.Check(receipt.Statement) is not { } statement) return false;
        var leaf = RowLeaf.Decode(receipt.Leaf.Span);
        return leaf.Request == request
            && leaf.Output == _outputs.Of(outputs)
            && leaf.Parameters == TensorSetDigest.NoParameters
            && leaf.FirstSlot + leaf.Rows <= statement.BatchRows
            && statement.Context.ModelName == model.Name
            && statement.Context.ModelIdentity == model.Identity
            && MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, statement.Receipts, receipt.Path) == statement.RowsRoot;
    }
}
