using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace OpenGradient.Engine.Formats;

/// <summary>Writes the deterministic CBOR subset of docs/formats.md. The caller writes map keys in ascending order.</summary>
public sealed class CborWriter
{
    private readonly ArrayBufferWriter<byte> _out = new();

    public CborWriter Map(int entries) => Head(5, (ulong)entries);

    public CborWriter Array(int items) => Head(4, (ulong)items);

    public CborWriter UInt(ulong value) => Head(0, value);

    public CborWriter Bytes(ReadOnlySpan<byte> value)
    {
        Head(2, (ulong)value.Length);
        _out.Write(value);
        return this;
    }

    public CborWriter Text(string value)
    {
        var bytes = Names.ToUtf8(value);
        Head(3, (ulong)bytes.Length);
        _out.Write(bytes);
        return this;
    }

    public byte[] ToArray() => _out.WrittenSpan.ToArray();

    private CborWriter Head(int major, ulong value)
    {
        Span<byte> head = stackalloc byte[9];
        var length = CborHead.Write(head, major, value);
        _out.Write(head[..length]);
        return this;
    }
}

/// <summary>Reads the same subset and refuses every other encoding by <see cref="FormatException"/>, which the decoders turn into a reason.</summary>
public ref struct CborReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    public int Map() => Count(5, "map");

    public int Array() => Count(4, "array");

    public ulong UInt() => Head(0, "unsigned integer");

    /// <summary>Reads the next map key and requires it to be this one.</summary>
    public void Key(ulong expected)
    {
        if (UInt() != expected) throw new FormatException($"CBOR: key {expected} expected");
    }

    public ReadOnlySpan<byte> Bytes() => Take(Head(2, "byte string"));

    public Hash256 Hash()
    {
        var bytes = Bytes();
        return bytes.Length == Hash256.Size ? new Hash256(bytes) : throw new FormatException("CBOR: a hash is 32 bytes");
    }

    /// <summary>A text's bytes where they lie, not yet checked to be UTF-8.</summary>
    public ReadOnlySpan<byte> TextBytes() => Take(Head(3, "text string"));

    public string Text()
    {
        var bytes = TextBytes();
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new FormatException("CBOR: text is not UTF-8");
    }

    public readonly void End()
    {
        if (!_rest.IsEmpty) throw new FormatException("CBOR: trailing bytes");
    }

    private int Count(int major, string name)
    {
        var value = Head(major, name);
        return value <= (ulong)_rest.Length ? (int)value : throw new FormatException($"CBOR: {name} longer than the data");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length) throw new FormatException("CBOR: string longer than the data");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private ulong Head(int major, string name)
    {
        if (_rest.IsEmpty || _rest[0] >> 5 != major) throw new FormatException($"CBOR: {name} expected");
        var info = _rest[0] & 31;
        var size = info switch { < 24 => 0, 24 => 1, 25 => 2, 26 => 4, 27 => 8, _ => throw new FormatException("CBOR: indefinite or reserved length") };
        if (_rest.Length < 1 + size) throw new FormatException("CBOR: truncated");
        var argument = _rest.Slice(1, size);
        ulong value = size switch
        {
            0 => (ulong)info,
            1 => argument[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(argument),
            4 => BinaryPrimitives.ReadUInt32BigEndian(argument),
            _ => BinaryPrimitives.ReadUInt64BigEndian(argument),
        };
        if (CborHead.ArgumentSize(value) != size) throw new FormatException("CBOR: length is not minimal");
        _rest = _rest[(1 + size)..];
        return value;
    }
}

internal static class CborHead
{
    public static int ArgumentSize(ulong value) => value switch { < 24 => 0, <= byte.MaxValue => 1, <= ushort.MaxValue => 2, <= uint.MaxValue => 4, _ => 8 };

    public static int Write(Span<byte> destination, int major, ulong value)
    {
        var size = ArgumentSize(value);
        var info = size switch { 0 => (int)value, 1 => 24, 2 => 25, 4 => 26, _ => 27 };
        destination[0] = (byte)((major << 5) | info);
        switch (size)
        {
            case 1: destination[1] = (byte)value; break;
            case 2: BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)value); break;
            case 4: BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)value); break;
            case 8: BinaryPrimitives.WriteUInt64BigEndian(destination[1..], value); break;
        }

        return 1 + size;
    }
}
