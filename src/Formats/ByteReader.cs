using System.Buffers.Binary;

namespace OpenGradient.Engine.Formats;

/// <summary>Reads fixed layouts. Every shortage is a <see cref="FormatException"/> that names what was being read.</summary>
public ref struct ByteReader(ReadOnlySpan<byte> data, string what)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly int Remaining => _rest.Length;

    public void Tag(ReadOnlySpan<byte> tag)
    {
        Span<byte> padded = stackalloc byte[16];
        padded.Clear();
        tag.CopyTo(padded);
        if (!Take(16).SequenceEqual(padded)) throw new FormatException($"{what}: unknown tag or version");
    }

    public byte U8() => Take(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public Hash256 Hash() => new(Take(Hash256.Size));

    public EvmAddress Address() => new(Take(EvmAddress.Size));

    /// <summary>u8 count ‖ hashes.</summary>
    public Hash256[] Path()
    {
        var path = new Hash256[U8()];
        for (var i = 0; i < path.Length; i++) path[i] = Hash();
        return path;
    }

    public ReadOnlySpan<byte> Take(uint length)
    {
        if (length > (uint)_rest.Length) throw new FormatException($"{what}: truncated");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    public readonly void End()
    {
        if (!_rest.IsEmpty) throw new FormatException($"{what}: {_rest.Length} trailing bytes");
    }
}
