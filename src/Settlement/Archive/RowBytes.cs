using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Rows of a statement as the archive and the snapshot hold them (layout: <see cref="ArchivedStatement"/>).</summary>
internal static class RowBytes
{
    private const int RowSize = ReceiptId.Size + Hash256.Size;

    public static byte[] Encode(in RowCapture rows)
    {
        var bytes = new byte[rows.Count * (RowSize + (rows.AreNumbered ? 4 : 0))];
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            row.Receipt.Bytes.CopyTo(bytes.AsSpan(i * RowSize));
            row.Leaf.Bytes.CopyTo(bytes.AsSpan((i * RowSize) + ReceiptId.Size));
            if (rows.AreNumbered) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan((rows.Count * RowSize) + (i * 4)), row.Row);
        }

        return bytes;
    }

    public static StatementRow RowAt(ReadOnlySpan<byte> bytes, int index, int count, bool numbered)
    {
        var row = bytes.Slice(index * RowSize, RowSize);
        var number = numbered ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[((count * RowSize) + (index * 4))..]) : (uint)index;
        return new(number, new ReceiptId(row[..ReceiptId.Size]), new Hash256(row[ReceiptId.Size..]));
    }

    public static RowSet Decode(ReadOnlySpan<byte> bytes, int count, bool numbered)
    {
        var rows = new RowSet(count);
        for (var i = 0; i < count; i++)
        {
            var row = RowAt(bytes, i, count, numbered);
            rows.Add(row.Row, row.Receipt, row.Leaf);
        }

        return rows;
    }
}
