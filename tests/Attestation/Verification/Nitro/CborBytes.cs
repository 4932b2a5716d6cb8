using System.Buffers.Binary;
using System.Text;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>Writes CBOR, right and wrong.</summary>
internal static class CborBytes
{
    public static readonly byte[] Null = [0xF6];

    public static byte[] Number(ulong value) => Head(0, value);

    public static byte[] Negative(ulong value) => Head(1, value);

    public static byte[] Bytes(ReadOnlySpan<byte> value) => [.. Head(2, (ulong)value.Length), .. value];

    public static byte[] Text(string value) => [.. Head(3, (ulong)Encoding.UTF8.GetByteCount(value)), .. Encoding.UTF8.GetBytes(value)];

    public static byte[] Array(params byte[][] items) => [.. Head(4, (ulong)items.Length), .. Joined(items)];

    public static byte[] Map(params (byte[] Key, byte[] Value)[] entries) => [.. Head(5, (ulong)entries.Length), .. Joined(entries)];

    public static byte[] OpenMap(params (byte[] Key, byte[] Value)[] entries) => [0xBF, .. Joined(entries), 0xFF];

    /// <summary>The same number, in two, three, five or nine bytes although fewer would do.</summary>
    public static byte[] Wide(int major, ulong value, int size)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return [(byte)((major << 5) | (24 + int.Log2(size))), .. bytes[^size..]];
    }

    public static byte[] Head(int major, ulong value) => value switch
    {
        < 24 => [(byte)((major << 5) | (int)value)],
        <= byte.MaxValue => Wide(major, value, 1),
        <= ushort.MaxValue => Wide(major, value, 2),
        <= uint.MaxValue => Wide(major, value, 4),
        _ => Wide(major, value, 8),
    };

    private static byte[] Joined(IEnumerable<(byte[] Key, byte[] Value)> entries) => [.. entries.SelectMany(entry => entry.Key.Concat(entry.Value))];

    private static byte[] Joined(IEnumerable<byte[]> items) => [.. items.SelectMany(item => item)];
}
