using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>A receipt of a statement as the journal knows it.</summary>
public readonly record struct StatementRow(uint Row, ReceiptId Receipt, Hash256 Leaf);

/// <summary>
/// A statement and rows of it: a resubmitted receipt brings one, and later ones of the same statement add theirs. What
/// the fast path seals comes whole, as a <see cref="BatchRecord"/>.
/// </summary>
internal sealed record StatementRecord(ulong Time, ReadOnlyMemory<byte> Statement, StatementRow[] Rows)
{
    private const int RowSize = 4 + ReceiptId.Size + Hash256.Size;

    /// <summary>The statement that a record of this type, or a <see cref="BatchRecord"/>, begins with.</summary>
    public static byte[] StatementOf(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: statement");
        reader.U64();
        return reader.Take(reader.U32()).ToArray();
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
