using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Reads a quote's little-endian fields from the front. Nothing is copied.</summary>
/// <param name="what">Names the bytes in errors.</param>
internal sealed class QuoteReader(ReadOnlyMemory<byte> bytes, string what)
{
    private int _at;

    public int Left => bytes.Length - _at;

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2).Span);

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);

    /// <exception cref="FormatException">Fewer bytes are left.</exception>
    public ReadOnlyMemory<byte> Take(long size)
    {
        if (size > Left) throw new FormatException($"{what}: {size} bytes expected at {_at}, {Left} are left");
        var taken = bytes.Slice(_at, (int)size);
        _at += (int)size;
        return taken;
    }

    /// <exception cref="FormatException">Bytes are left.</exception>
    public void End()
    {
        if (Left > 0) throw new FormatException($"{what}: {Left} bytes too many");
    }
}
