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
            var (root, receipts) = Committed(batch.Statement);
            return (ulong)batch.Leaves.Length == receipts && MerkleTree.Root(batch.Leaves) == root;
        }
        catch (FormatException)
        {
            return true;
        }
    }

    // The two keys alone: the verifier has decoded the whole statement already.
    private static (Hash256 Root, ulong Receipts) Committed(ReadOnlySpan<byte> statement)
    {
        const int bodyAt = Statement.HeaderSize + Statement.SignatureSize;
        if (statement.Length <= bodyAt) throw new FormatException("statement: truncated");
        var reader = new CborReader(statement[bodyAt..]);
        reader.Map();
        reader.Key(1);
        reader.Bytes();
        reader.Key(2);
        var root = reader.Hash();
        reader.Key(3);
        return (root, reader.UInt());
    }
}
