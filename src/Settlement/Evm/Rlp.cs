using System.Buffers.Binary;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>Writes Ethereum's recursive length prefix (Yellow Paper, appendix B). Integers are minimal big-endian; zero is the empty string.</summary>
public sealed class RlpWriter
{
    private readonly List<byte> _out = [];

    public RlpWriter Integer(UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return Bytes(bytes.TrimStart((byte)0));
    }

    /// <summary>A big-endian number of any width, such as a signature's r: leading zeros are not written.</summary>
    public RlpWriter Integer(ReadOnlySpan<byte> bigEndian) => Bytes(bigEndian.TrimStart((byte)0));

    public RlpWriter Bytes(ReadOnlySpan<byte> value)
    {
        if (value.Length != 1 || value[0] >= 0x80) Head(0x80, value.Length);
        _out.AddRange(value);
        return this;
    }

    public RlpWriter List(RlpWriter items)
    {
        Head(0xc0, items._out.Count);
        _out.AddRange(items._out);
        return this;
    }

    /// <summary>What was written, as one list.</summary>
    public byte[] ToList(byte? typePrefix = null)
    {
        var whole = new RlpWriter();
        if (typePrefix is { } prefix) whole._out.Add(prefix);
        return [.. whole.List(this)._out];
    }

    private void Head(byte kind, int length)
    {
        if (length <= 55)
        {
            _out.Add((byte)(kind + length));
            return;
        }

        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, length);
        var minimal = size.TrimStart((byte)0);
        _out.Add((byte)(kind + 55 + minimal.Length));
        _out.AddRange(minimal);
    }
}
