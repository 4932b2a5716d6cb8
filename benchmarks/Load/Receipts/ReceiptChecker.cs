using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Load.InProcess;

namespace OpenGradient.Engine.Load.Receipts;

/// <summary>How many receipts held and how many did not.</summary>
internal readonly record struct ReceiptCount(long Verified, long Failed)
{
    public static ReceiptCount operator +(ReceiptCount left, ReceiptCount right) => new(left.Verified + right.Verified, left.Failed + right.Failed);
}

/// <summary>Checks receipts against what was sent and received, after the measured window. Safe for concurrent calls.</summary>
internal sealed class ReceiptChecker(StatementChecker statements, InputSet inputs, ModelInfo model)
{
    private readonly OutputDigest _outputs = new(model.Outputs);

    /// <summary>Every sample of the logs, on all cores. A sample without a receipt has failed.</summary>
    public ReceiptCount Check(IReadOnlyList<SampleLog> logs)
    {
        long verified = 0, failed = 0;
        Parallel.ForEach(Chunks(logs), chunk =>
        {
            long held = 0, broken = 0;
            for (var i = chunk.From; i < chunk.To; i++)
            {
                ref readonly var sample = ref chunk.Log.Samples[i];
                if (sample.End == 0) continue;
                if (sample.Batch is { } batch && Holds(batch.Receipt(sample.Row), inputs.Digests[sample.Input], chunk.Log.Outputs(i))) held++;
                else broken++;
            }

            Interlocked.Add(ref verified, held);
            Interlocked.Add(ref failed, broken);
        });
        statements.Forget();
        return new ReceiptCount(verified, failed);
    }

    /// <summary>Whether the receipt commits to this request, this answer and this model, in a statement that its epoch signed.</summary>
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

    private static IEnumerable<(SampleLog Log, int From, int To)> Chunks(IReadOnlyList<SampleLog> logs)
    {
        const int size = 2048;
        foreach (var log in logs)
            for (var from = 0; from < log.Count; from += size) yield return (log, from, Math.Min(log.Count, from + size));
    }
}
