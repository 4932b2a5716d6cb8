using System.Buffers;
using System.Buffers.Binary;

namespace OpenGradient.Engine.Formats;

/// <summary>Writes the fixed layouts that <see cref="ByteReader"/> reads.</summary>
public sealed class ByteWriter
{
    private readonly ArrayBufferWriter<byte> _out = new();

    public ByteWriter Tag(ReadOnlySpan<byte> tag)
    {
        var padded = _out.GetSpan(16)[..16];
        padded.Clear();
        tag.CopyTo(padded);
        _out.Advance(16);
        return this;
    }

    public ByteWriter U8(byte value) => Bytes([value]);

    public ByteWriter U16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_out.GetSpan(2), checked((ushort)value));
        _out.Advance(2);
        return this;
    }

    public ByteWriter U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_out.GetSpan(4), value);
        _out.Advance(4);
        return this;
    }

    public ByteWriter U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_out.GetSpan(8), value);
        _out.Advance(8);
        return this;
    }

    public ByteWriter Hash(in Hash256 hash) => Bytes(hash.Bytes);

    public ByteWriter Address(EvmAddress address)
    {
        address.CopyTo(_out.GetSpan(EvmAddress.Size));
        _out.Advance(EvmAddress.Size);
        return this;
    }

    public ByteWriter Path(ReadOnlySpan<Hash256> path)
    {
        U8(checked((byte)path.Length));
        foreach (var hash in path) Hash(hash);
        return this;
    }

    public ByteWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        _out.Write(bytes);
        return this;
    }

    /// <summary>Bytes of a field whose size the format fixes.</summary>
    /// <exception cref="InvalidOperationException">Any other size: the reader would take its neighbours' bytes for it.</exception>
    public ByteWriter Fixed(ReadOnlySpan<byte> bytes, int size, string what) =>
        bytes.Length == size ? Bytes(bytes) : throw new InvalidOperationException($"{what} is {size} bytes, not {bytes.Length}");

    public byte[] ToArray() => _out.WrittenSpan.ToArray();
}
