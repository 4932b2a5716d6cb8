using System.Buffers.Binary;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// One record on disk, little-endian, aligned to 8 bytes:
/// <code>
/// 0  u32 payload length
/// 4  u32 CRC32C over the segment's salt, bytes 8..24 and the payload
/// 8  u64 sequence: strictly one more than the record before, across segments
/// 16 u32 distance back to the first frame written under the same sync
/// 20 u8  type, three zero bytes
/// 24 payload, zero bytes up to the next multiple of 8
/// </code>
/// The distance tells damage from a torn tail: a group is written only after the one before it was synced, so a valid
/// frame whose group begins behind a bad one proves that the bad one had been acknowledged.
/// </summary>
internal readonly record struct Frame(int Offset, int PayloadLength, ulong Sequence, uint GroupDistance, byte Type)
{
    public const int HeaderSize = 24;
    public const int Alignment = 8;

    public int PayloadOffset => Offset + HeaderSize;

    public int End => Offset + SizeOf(PayloadLength);

    public int GroupStart => Offset - (int)GroupDistance;

    public static int SizeOf(int payloadLength) => (HeaderSize + payloadLength + Alignment - 1) & ~(Alignment - 1);

    public static void Write(Span<byte> destination, ulong salt, ulong sequence, uint groupDistance, OutboxRecord record)
    {
        var length = record.Length;
        var frame = destination[..SizeOf(length)];
        frame[..HeaderSize].Clear();
        frame[(HeaderSize + length)..].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[8..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[16..], groupDistance);
        frame[20] = record.Type;
        record.Write(frame.Slice(HeaderSize, length));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Checksum(frame, salt, length));
    }

    /// <summary>The valid frame at this offset of a segment's bytes, or null.</summary>
    public static Frame? TryRead(ReadOnlySpan<byte> segment, int offset, ulong salt)
    {
        if (segment.Length - offset < HeaderSize) return null;
        var bytes = segment[offset..];
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (length < 0 || length > bytes.Length - HeaderSize || SizeOf(length) > bytes.Length) return null;
        if ((bytes[21] | bytes[22] | bytes[23]) != 0 || bytes[20] == 0) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Checksum(bytes, salt, length)) return null;
        var frame = new Frame(
            offset, length, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]), bytes[20]);
        return frame.GroupDistance <= offset - SegmentHeader.Size ? frame : null;
    }

    /// <summary>The payload of a frame that stands alone, or null when its checksum does not hold.</summary>
    public static byte[]? PayloadIfIntact(ReadOnlySpan<byte> frame, ulong salt)
    {
        if (frame.Length < HeaderSize) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(frame);
        if (length < 0 || length > frame.Length - HeaderSize) return null;
        return BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]) == Checksum(frame, salt, length) ? frame.Slice(HeaderSize, length).ToArray() : null;
    }

    private static uint Checksum(ReadOnlySpan<byte> frame, ulong salt, int payloadLength) =>
        Crc.Finish(Crc.Add(Crc.Add(Crc.Start(salt), frame[8..HeaderSize]), frame.Slice(HeaderSize, payloadLength)));
}
