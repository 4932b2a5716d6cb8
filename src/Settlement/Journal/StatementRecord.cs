using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>A receipt of a statement as the journal knows it.</summary>
public readonly record struct StatementRow(uint Row, ReceiptId Receipt, Hash256 Leaf);

/// <summary>
/// A statement and rows of it. A sealed batch brings all rows; a resubmitted receipt brings one, and later ones of the
/// same statement add theirs.
/// </summary>
internal sealed record StatementRecord(ulong Time, ReadOnlyMemory<byte> Statement, StatementRow[] Rows)
{
    private const int RowSize = 4 + ReceiptId.Size + Hash256.Size;

    public static StatementRecord Of(ulong time, SealedBatch batch)
    {
        var rows = new StatementRow[batch.Count];
        for (var i = 0; i < rows.Length; i++) rows[i] = new((uint)i, batch.ReceiptId(i), batch.LeafHash(i));
        return new(time, batch.Statement, rows);
    }

    public byte[] Encode()
    {
        var writer = new ByteWriter().U64(Time).U32((uint)Statement.Length).Bytes(Statement.Span).U32((uint)Rows.Length);
        foreach (var row in Rows) writer.U32(row.Row).Bytes(row.Receipt.Bytes).Hash(row.Leaf);
        return writer.ToArray();
    }

    public static StatementRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: statement");
        var time = reader.U64();
        var statement = reader.Take(reader.U32()).ToArray();
        var count = reader.U32();
        if (count > reader.Remaining / RowSize) throw new FormatException("journal: statement: more rows than bytes");
        var rows = new StatementRow[count];
        for (var i = 0; i < rows.Length; i++) rows[i] = new(reader.U32(), new ReceiptId(reader.Take(ReceiptId.Size)), reader.Hash());
        reader.End();
        return new(time, statement, rows);
    }
}
