using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// One tensor opened: proves its name, type, shape and bytes to whoever knows the model's identity, without the other
/// tensors. Encoded and checked as docs/formats.md, "Identity of a language model", has it.
/// </summary>
/// <param name="Index">Of the tensor among <paramref name="Count"/>, ordered by name.</param>
/// <param name="Path">From the tensor's leaf to the root over the tensors.</param>
/// <param name="Parts">How many parts the identity has: the tensors, and files.</param>
/// <param name="PartsPath">From the tensors' part, which is the first, to the root over the parts.</param>
public sealed record TensorIdentity(
    WeightScheme Scheme, TensorLeaf Tensor, long Index, long Count, IReadOnlyList<Hash256> Path, long Parts, IReadOnlyList<Hash256> PartsPath)
{
    /// <summary>Whether the model of this identity has this tensor, in this scheme.</summary>
    public bool LeadsTo(Hash256 identity)
    {
        if (Index < 0 || Count < 0 || Parts < 1) return false;
        return MerkleTree.RootFromPath(Tensor.Hash(), (ulong)Index, (ulong)Count, [.. Path]) is { } tensors
            && MerkleTree.RootFromPath(LanguageModelIdentity.WeightsPart(tensors), 0, (ulong)Parts, [.. PartsPath]) is { } parts
            && LanguageModelIdentity.Of(Scheme, parts) == identity;
    }

    public byte[] Encode() => new ByteWriter().Tag("OGE tensor v1"u8).U8(WeightSchemes.CodeOf(Scheme)).Bytes(Tensor.Encode())
        .U64((ulong)Index).U64((ulong)Count).Path([.. Path]).U64((ulong)Parts).Path([.. PartsPath]).ToArray();

    /// <exception cref="FormatException">Not the bytes of an opened tensor.</exception>
    public static TensorIdentity Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "opened tensor");
        reader.Tag("OGE tensor v1"u8);
        var scheme = WeightSchemes.OfCode(reader.U8()) ?? throw new FormatException("opened tensor: unknown scheme");
        var tensor = TensorLeaf.Decode(ref reader);
        var opened = new TensorIdentity(scheme, tensor, Number(ref reader), Number(ref reader), reader.Path(), Number(ref reader), reader.Path());
        reader.End();
        return opened;
    }

    private static long Number(ref ByteReader reader) =>
        reader.U64() is var number and <= long.MaxValue ? (long)number : throw new FormatException("opened tensor: a number has more than 63 bits");
}
