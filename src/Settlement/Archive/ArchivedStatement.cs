using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// What the archive keeps of a final statement: 144 bytes, little-endian, at the place of its leaf.
/// <code>
/// 0  u64 leaf            8  statement id (32)
/// 40 u32 segment, u32 offset of its journal record
/// 48 u32 receipts it covers, u32 rows known here
/// 56 u64 executed        64 u64 durable        72 u64 verified (nanoseconds since 1970)
/// 80 u64 anchor operation
/// 88 u64 place of the rows   96 u64 sequence   104 u32 epoch, by its number in the snapshot
/// 108 u8 1: rows carry their numbers           109 zero, kept for annotations
/// 132 u32 CRC32C of the rows                   136 zero   140 u32 CRC32C over bytes 0..140
/// </code>
/// Rows: per row receipt id (16) and leaf hash (32); then, with the flag, a u32 row number each.
/// </summary>
internal sealed record ArchivedStatement
{
    public const int Size = 144;

    public required ulong Leaf { get; init; }

    public required Hash256 Id { get; init; }

    public required RecordPosition Position { get; init; }

    public required int Receipts { get; init; }

    public required int Rows { get; init; }

    public required ulong ExecutedAt { get; init; }

    public required ulong DurableAt { get; init; }

    public required ulong VerifiedAt { get; init; }

    public required ulong Anchor { get; init; }

    public required ulong RowsPlace { get; init; }

    public required ulong Sequence { get; init; }

    public required uint Epoch { get; init; }

    public required bool RowsAreNumbered { get; init; }

    public required uint RowsChecksum { get; init; }

    public int RowsLength => Rows * (ReceiptId.Size + Hash256.Size + (RowsAreNumbered ? 4 : 0));

    public void Write(Span<byte> bytes)
    {
        bytes[..Size].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Leaf);
        Id.Bytes.CopyTo(bytes[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[40..], Position.Segment);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[44..], Position.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[48..], Receipts);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[52..], Rows);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[56..], ExecutedAt);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[64..], DurableAt);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[72..], VerifiedAt);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[80..], Anchor);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[88..], RowsPlace);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[96..], Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[104..], Epoch);
        bytes[108] = RowsAreNumbered ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[132..], RowsChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[140..], Checksum(bytes));
    }

    /// <summary>Null when the bytes are not what was written for this leaf.</summary>
    public static ArchivedStatement? Decode(ReadOnlySpan<byte> bytes, ulong leaf)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[140..]) != Checksum(bytes) || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != leaf) return null;
        return new()
        {
            Leaf = leaf,
            Id = new Hash256(bytes[8..40]),
            Position = new(BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..])),
            Receipts = BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]),
            Rows = BinaryPrimitives.ReadInt32LittleEndian(bytes[52..]),
            ExecutedAt = BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]),
            DurableAt = BinaryPrimitives.ReadUInt64LittleEndian(bytes[64..]),
            VerifiedAt = BinaryPrimitives.ReadUInt64LittleEndian(bytes[72..]),
            Anchor = BinaryPrimitives.ReadUInt64LittleEndian(bytes[80..]),
            RowsPlace = BinaryPrimitives.ReadUInt64LittleEndian(bytes[88..]),
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes[96..]),
            Epoch = BinaryPrimitives.ReadUInt32LittleEndian(bytes[104..]),
            RowsAreNumbered = bytes[108] == 1,
            RowsChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[132..]),
        };
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) => Outbox.Crc.Finish(Outbox.Crc.Add(Outbox.Crc.Start(0), bytes[..140]));
}
