using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats;

/// <summary>The digest over a request's or an answer's tensors (docs/formats.md, "Tensor-set digest").</summary>
public static class TensorSetDigest
{
    /// <summary>The digest of a request without parameters.</summary>
    public static Hash256 NoParameters { get; } = OfParameters([0xa0]);

    /// <summary>What precedes a tensor's data in the digest.</summary>
    /// <param name="elementType">ONNX's TensorProto.DataType.</param>
    public static byte[] Header(string name, byte elementType, ReadOnlySpan<long> dimensions, long dataLength)
    {
        var writer = new ByteWriter();
        var utf8 = Names.ToUtf8(name);
        writer.U16(utf8.Length).Bytes(utf8).U8(elementType).U8(checked((byte)dimensions.Length));
        foreach (var dimension in dimensions) writer.U64(checked((ulong)dimension));
        return writer.U64(checked((ulong)dataLength)).ToArray();
    }

    /// <summary>The digest of tensors given as (name, header, data) in any order.</summary>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public static Hash256 Of(IEnumerable<(string Name, byte[] Header, ReadOnlyMemory<byte> Data)> tensors)
    {
        var ordered = Names.Ordered(tensors, tensor => Names.ToUtf8(tensor.Name));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(new ByteWriter().Tag("OGE tensors v1"u8).U32((uint)ordered.Length).ToArray());
        foreach (var (_, header, data) in ordered)
        {
            hash.AppendData(header);
            hash.AppendData(data.Span);
        }

        return new Hash256(hash.GetHashAndReset());
    }

    /// <summary>The digest of an encoded parameter map.</summary>
    public static Hash256 OfParameters(ReadOnlySpan<byte> cborMap) =>
        Hash256.Sha256(new ByteWriter().Tag("OGE params v1"u8).Bytes(cborMap).ToArray());
}
