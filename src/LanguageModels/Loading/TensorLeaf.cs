using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>What the identity says of one tensor (docs/formats.md, "Identity of a language model").</summary>
/// <param name="Type">As the safetensors file writes it, for example <c>BF16</c>.</param>
/// <param name="Length">Bytes.</param>
/// <param name="DataRoot">RFC 6962 root over the bytes' 4 MiB chunks.</param>
public sealed record TensorLeaf(string Name, string Type, IReadOnlyList<long> Shape, long Length, Hash256 DataRoot)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The leaf's preimage.</summary>
    public byte[] Encode()
    {
        var (name, type) = (Strict.GetBytes(Name), Strict.GetBytes(Type));
        var writer = new ByteWriter().U16(name.Length).Bytes(name).U8(checked((byte)type.Length)).Bytes(type).U8(checked((byte)Shape.Count));
        foreach (var dimension in Shape) writer.U64((ulong)dimension);
        return writer.U64((ulong)Length).Hash(DataRoot).ToArray();
    }

    /// <exception cref="FormatException">Not a leaf's preimage.</exception>
    internal static TensorLeaf Decode(ref ByteReader reader)
    {
        try
        {
            var name = Strict.GetString(reader.Take(reader.U16()));
            var type = Strict.GetString(reader.Take(reader.U8()));
            var shape = new long[reader.U8()];
            for (var i = 0; i < shape.Length; i++) shape[i] = checked((long)reader.U64());
            return new TensorLeaf(name, type, shape, checked((long)reader.U64()), reader.Hash());
        }
        catch (Exception error) when (error is OverflowException or DecoderFallbackException)
        {
            throw new FormatException("tensor leaf: a name that is not UTF-8, or a number of more than 63 bits", error);
        }
    }

    public Hash256 Hash() => MerkleTree.LeafHash(Encode());

    /// <summary>Whether these are the tensor's bytes. Reads the stream once, to its end.</summary>
    public bool IsOf(Stream bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        using var root = new ModelIdentity();
        var chunk = new byte[ModelIdentity.ChunkSize];
        long length = 0;
        for (int read; (read = bytes.Read(chunk)) > 0 && length <= Length; length += read) root.Append(chunk.AsSpan(0, read));
        return length == Length && root.Finish() == DataRoot;
    }
}
