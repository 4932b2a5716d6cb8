using System.Buffers.Binary;
using System.Numerics;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>CRC32C (RFC 3720 §12.1) by the processor's instruction.</summary>
internal static class Crc
{
    public static uint Start(ulong salt) => BitOperations.Crc32C(uint.MaxValue, salt);

    public static uint Add(uint crc, ReadOnlySpan<byte> data)
    {
        for (; data.Length >= 8; data = data[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var value in data) crc = BitOperations.Crc32C(crc, value);
        return crc;
    }

    public static uint Finish(uint crc) => ~crc;
}
