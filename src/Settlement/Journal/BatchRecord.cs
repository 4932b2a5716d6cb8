using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>
/// A statement with all of its rows, as sealing gave them:
/// <code>u64 time ‖ u32 size ‖ statement ‖ u32 count ‖ count receipt ids ‖ count leaf hashes</code>
/// It begins like a <see cref="StatementRecord"/>, so that either gives its statement to whoever knows only that.
/// </summary>
internal readonly ref struct BatchRecord(ulong time, ReadOnlySpan<byte> statement, ReadOnlySpan<ReceiptId> receipts, ReadOnlySpan<Hash256> leaves)
{
    private const int Fixed = 8 + 4 + 4;
    private const int RowSize = ReceiptId.Size + Hash256.Size;

    public ulong Time { get; } = time;

    public ReadOnlySpan<byte> Statement { get; } = statement;

    public ReadOnlySpan<ReceiptId> Receipts { get; } = receipts;

    public ReadOnlySpan<Hash256> Leaves { get; } = leaves;

    public static int SizeOf(int statement, int rows) => Fixed + statement + (rows * RowSize);

    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt64BigEndian(payload, Time);
        BinaryPrimitives.WriteUInt32BigEndian(payload[8..], (uint)Statement.Length);
        Statement.CopyTo(payload[12..]);
        payload = payload[(12 + Statement.Length)..];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)Receipts.Length);
        MemoryMarshal.AsBytes(Receipts).CopyTo(payload[4..]);
        MemoryMarshal.AsBytes(Leaves).CopyTo(payload[(4 + (Receipts.Length * ReceiptId.Size))..]);
    }

    /// <summary>False for a <see cref="StatementRecord"/>: its rows are of another size, so that the length tells the two apart.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> payload, out BatchRecord record)
    {
        record = default;
        var reader = new ByteReader(payload, "journal: batch");
        reader.U64();
        reader.Take(reader.U32());
        var count = reader.U32();
        if (count == 0 || (ulong)reader.Remaining != (ulong)count * RowSize) return false;
        record = Decode(payload);
        return true;
    }

    /// <summary>A view of the payload.</summary>
    /// <exception cref="FormatException">Not such a record.</exception>
    public static BatchRecord Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new ByteReader(payload, "journal: batch");
        var time = reader.U64();
        var statement = reader.Take(reader.U32());
        var count = reader.U32();
        if (count != reader.Remaining / RowSize) throw new FormatException("journal: batch: rows and bytes do not fit");
        var receipts = MemoryMarshal.Cast<byte, ReceiptId>(reader.Take(count * ReceiptId.Size));
        var leaves = MemoryMarshal.Cast<byte, Hash256>(reader.Take(count * Hash256.Size));
        reader.End();
        return new(time, statement, receipts, leaves);
    }
}
