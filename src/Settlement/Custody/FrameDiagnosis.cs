using System.Buffers.Binary;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>
/// Names the wrong byte of a damaged frame, where one byte explains the damage.
/// </summary>
internal static class FrameDiagnosis
{
    private const int LengthSize = 4;
    private const int CheckedFrom = 8; // offset of the first byte that the checksum covers

    /// <summary>Where the first wrong byte of the frame is, and what should be there.</summary>
    /// <param name="segment">The segment's bytes.</param>
    /// <param name="at">Offset of the frame.</param>
    /// <param name="end">Where the next frame or the records' end is known to be; null when it is not.</param>
    /// <returns>Null when no single byte explains it.</returns>
    public static (int Offset, string Expected)? Explain(ReadOnlySpan<byte> segment, int at, int? end, ulong salt)
    {
        if (segment.Length - at < Frame.HeaderSize) return null;
        var stated = BinaryPrimitives.ReadInt32LittleEndian(segment[at..]);
        if (Fits(stated, segment, at, end) && InChecked(segment, at, stated, salt) is { } inside) return inside;
        return end is { } known ? InLength(segment, at, known, salt) : null;
    }

    private static bool Fits(int length, ReadOnlySpan<byte> segment, int at, int? end) =>
        length >= 0 && length <= segment.Length - at - Frame.HeaderSize && (end is not { } known || at + Frame.SizeOf(length) == known);

    private static (int, string)? InChecked(ReadOnlySpan<byte> segment, int at, int length, ulong salt)
    {
        var stored = BinaryPrimitives.ReadUInt32LittleEndian(segment[(at + LengthSize)..]);
        var covered = Frame.HeaderSize - CheckedFrom + length;
        if (CrcSyndrome.Locate(stored ^ Checksum(segment, at, length, salt), covered) is not { } wrong) return null;
        var offset = wrong.Position < covered ? at + CheckedFrom + wrong.Position : at + LengthSize + wrong.Position - covered;
        return (offset, Say(segment[offset], (byte)(segment[offset] ^ wrong.Mask)));
    }

    private static (int, string)? InLength(ReadOnlySpan<byte> segment, int at, int end, ulong salt)
    {
        var stored = BinaryPrimitives.ReadUInt32LittleEndian(segment[(at + LengthSize)..]);
        Span<byte> right = stackalloc byte[LengthSize];
        for (var length = end - at - Frame.HeaderSize; length >= 0 && length > end - at - Frame.HeaderSize - Frame.Alignment; length--)
        {
            if (Checksum(segment, at, length, salt) != stored) continue;
            BinaryPrimitives.WriteInt32LittleEndian(right, length);
            for (var i = 0; i < LengthSize; i++)
                if (segment[at + i] != right[i]) return (at + i, Say(segment[at + i], right[i]));
        }

        return null;
    }

    private static string Say(byte there, byte expected) => $"0x{expected:x2} expected, 0x{there:x2} is there (the frame's checksum holds with it)";

    private static uint Checksum(ReadOnlySpan<byte> segment, int at, int length, ulong salt) =>
        Crc.Finish(Crc.Add(Crc.Add(Crc.Start(salt), segment[(at + CheckedFrom)..(at + Frame.HeaderSize)]), segment.Slice(at + Frame.HeaderSize, length)));
}
