using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// That the rows recorded with a statement are the rows it commits to: their leaf hashes give its rows root. Rows of receipts
/// that came back one by one were checked against their paths before they were recorded.
/// </summary>
internal static class RowInclusion
{
    /// <summary>Whether the record's rows are the statement's. A record whose statement cannot be read is left to the verifier.</summary>
    public static bool Holds(ReadOnlySpan<byte> payload)
    {
        if (!BatchRecord.TryDecode(payload, out var batch)) return true;
        try
        {
            var statement = Statement.Decode(batch.Statement);
            return batch.Leaves.Length == statement.Receipts && MerkleTree.Root(batch.Leaves) == statement.RowsRoot;
        }
        catch (FormatException)
        {
            return true;
        }
    }
}
