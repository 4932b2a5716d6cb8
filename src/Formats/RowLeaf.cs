using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats;

/// <summary>The commitment to one request and its answer: 118 bytes (docs/formats.md, "Row leaf").</summary>
public readonly record struct RowLeaf(
    ReadOnlyMemory<byte> Salt, Hash256 Request, Hash256 Output, Hash256 Parameters, uint FirstSlot, ushort Rows)
{
    /// <summary>Bytes of the preimage. With RFC 6962's prefix and SHA-256's padding it fills exactly two blocks.</summary>
    public const int Size = 118;

    public const int SaltSize = 16;

    public static RowLeaf Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"a row leaf is {Size} bytes", nameof(bytes));
        return new RowLeaf(
            bytes[..16].ToArray(), new Hash256(bytes[16..48]), new Hash256(bytes[48..80]), new Hash256(bytes[80..112]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[112..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[116..]));
    }

    public void Encode(Span<byte> destination)
    {
        if (Salt.Length != SaltSize) throw new InvalidOperationException($"a salt is {SaltSize} bytes, not {Salt.Length}");
        Salt.Span.CopyTo(destination);
        Request.Bytes.CopyTo(destination[16..]);
        Output.Bytes.CopyTo(destination[48..]);
        Parameters.Bytes.CopyTo(destination[80..]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[112..], FirstSlot);
        BinaryPrimitives.WriteUInt16BigEndian(destination[116..], Rows);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        Encode(bytes);
        return bytes;
    }

    /// <summary>The RFC 6962 leaf hash of a preimage.</summary>
    public static Hash256 HashOf(ReadOnlySpan<byte> preimage)
    {
        Span<byte> input = stackalloc byte[1 + Size];
        input[0] = 0;
        preimage.CopyTo(input[1..]);
        Span<byte> digest = stackalloc byte[Hash256.Size];
        SHA256.HashData(input[..(1 + preimage.Length)], digest);
        return new Hash256(digest);
    }
}
