using System.Buffers.Binary;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// The first 56 bytes of a segment, little-endian. It is synced before the segment gets its name, so a bad header is
/// damage, never a torn write. It seals the segment before it: where that one ends.
/// <code>
/// 0  "OGE outbox v1" padded with zero bytes to 16
/// 16 u32 number   20 u32 previous segment's end, 0 for the first   24 u64 first sequence
/// 32 u64 salt of the checksums, so that a payload cannot contain a valid frame
/// 40 zero         52 u32 CRC32C over bytes 0..52
/// </code>
/// </summary>
internal sealed record SegmentHeader(uint Number, uint PreviousEnd, ulong FirstSequence, ulong Salt)
{
    public const int Size = 56;

    private static ReadOnlySpan<byte> Tag => "OGE outbox v1\0\0\0"u8;

    private static ReadOnlySpan<byte> Family => "OGE outbox v"u8;

    public byte[] Encode()
    {
        var bytes = new byte[Size];
        Tag.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), Number);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), PreviousEnd);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), FirstSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), Salt);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(52), Checksum(bytes));
        return bytes;
    }

    public static SegmentHeader Decode(ReadOnlySpan<byte> bytes, uint number)
    {
        if (bytes.Length < Size) throw new OutboxDamagedException(new(number, 0), "the segment is shorter than its header");
        if (bytes.StartsWith(Family) && !bytes.StartsWith(Tag))
            throw new OutboxDamagedException(new(number, 0), "the segment has another format version; use the release that wrote it or a newer one");
        if (!bytes.StartsWith(Tag) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[52..]) != Checksum(bytes))
            throw new OutboxDamagedException(new(number, 0), "the segment's header is damaged");
        var header = new SegmentHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]));
        return header.Number == number
            ? header
            : throw new OutboxDamagedException(new(number, 0), $"the segment's header says it is segment {header.Number}: files were renamed");
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) => Crc.Finish(Crc.Add(Crc.Start(0), bytes[..52]));
}
