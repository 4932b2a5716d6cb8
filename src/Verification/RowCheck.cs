using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Step 3: the row is in the batch, and is the row that the caller asked for.</summary>
internal static class RowCheck
{
    public static void Run(Receipt receipt, Statement statement, ExpectedDigests? expected, FailureList failures)
    {
        var leaf = RowLeaf.Decode(receipt.Leaf.Span);
        if (leaf.Rows == 0 || (ulong)leaf.FirstSlot + leaf.Rows > statement.BatchRows)
            failures.Add(VerificationReason.RowOutsideBatch, $"{leaf.Rows} rows from slot {leaf.FirstSlot} do not lie in a batch of {statement.BatchRows}");
        if (statement.Receipts > statement.BatchRows)
            failures.Add(VerificationReason.RowOutsideBatch, $"{statement.Receipts} receipts cannot share a batch of {statement.BatchRows} rows");
        if (MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, statement.Receipts, receipt.Path) != statement.RowsRoot)
            failures.Add(VerificationReason.RowNotInBatch, $"the path of row {receipt.Row} does not lead to the statement's rows root");
        if (expected?.Request is { } request && request != leaf.Request)
            failures.Add(VerificationReason.InputMismatch, $"the receipt is for the input with digest {leaf.Request}, expected was {request}");
        if (expected?.Output is { } output && output != leaf.Output)
            failures.Add(VerificationReason.OutputMismatch, $"the receipt is for the output with digest {leaf.Output}, expected was {output}");
    }
}
