using System.Buffers.Binary;
using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>
/// Reads the part of CBOR (RFC 8949) that Nitro documents use: unsigned integers, strings of definite length, null, arrays and maps.
/// Heads are minimal, nothing nests by itself, and what is anything else is a <see cref="FormatException"/>. The caller catches it.
/// </summary>
internal ref struct CborCursor(ReadOnlyMemory<byte> data)
{
    private const int Unsigned = 0, ByteString = 2, TextString = 3, Array = 4, Map = 5;
    private const byte Null = 0xF6, Break = 0xFF, OpenMap = 0xBF;

    private static readonly UTF8Encoding Utf8 = new(false, true);

    private int _at;

    public readonly bool IsAtEnd => _at == data.Length;

    public ulong Number(string what) => Head(Unsigned, what);

    /// <summary>A slice of the input, never a copy.</summary>
    public ReadOnlyMemory<byte> Bytes(string what, int least, int most) => Take(Head(ByteString, what), what, least, most);

    public string Text(string what, int least, int most)
    {
        var bytes = Take(Head(TextString, what), what, least, most);
        try
        {
            return Utf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException($"{what} is not UTF-8");
        }
    }

    public int Elements(string what, int least, int most) => Count(Head(Array, what), what, least, most);

    public int Entries(string what, int least, int most) => Count(Head(Map, what), what, least, most);

    /// <summary>Consumes the start of a map of indefinite length, if one is next.</summary>
    public bool TakeOpenMap() => TakeByte(OpenMap);

    /// <summary>Consumes the end of a map of indefinite length, if it is next.</summary>
    public bool TakeBreak() => TakeByte(Break);

    /// <summary>Consumes null, if it is next.</summary>
    public bool TakeNull() => TakeByte(Null);

    public readonly void End(string what)
    {
        if (!IsAtEnd) throw new FormatException($"{what}: {data.Length - _at} trailing bytes");
    }

    private bool TakeByte(byte expected)
    {
        if (_at >= data.Length || data.Span[_at] != expected) return false;
        _at++;
        return true;
    }

    private ulong Head(int major, string what)
    {
        var rest = data.Span[_at..];
        if (rest.IsEmpty) throw new FormatException($"{what}: truncated");
        if (rest[0] >> 5 != major) throw new FormatException($"{what} is of CBOR type {rest[0] >> 5}, not {major}");
        var low = rest[0] & 31;
        if (low < 24)
        {
            _at++;
            return (ulong)low;
        }

        if (low > 27) throw new FormatException($"{what}: a length that is not definite");
        var size = 1 << (low - 24);
        if (rest.Length <= size) throw new FormatException($"{what}: truncated");
        var (value, least) = size switch
        {
            1 => (rest[1], 24UL),
            2 => (BinaryPrimitives.ReadUInt16BigEndian(rest[1..]), 1UL << 8),
            4 => (BinaryPrimitives.ReadUInt32BigEndian(rest[1..]), 1UL << 16),
            _ => (BinaryPrimitives.ReadUInt64BigEndian(rest[1..]), 1UL << 32),
        };
        if (value < least) throw new FormatException($"{what}: a number that is not minimal");
        _at += 1 + size;
        return value;
    }

    private ReadOnlyMemory<byte> Take(ulong length, string what, int least, int most)
    {
        var size = Count(length, what, least, most);
        if (size > data.Length - _at) throw new FormatException($"{what}: truncated");
        var taken = data.Slice(_at, size);
        _at += size;
        return taken;
    }

    private static int Count(ulong count, string what, int least, int most) =>
        count >= (ulong)least && count <= (ulong)most ? (int)count : throw new FormatException($"{what}: {count} is not in {least}..{most}");
}
