using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Commitments;

/// <summary>What a head commits to, as the tensors of a row (docs/formats.md, "Generation row").</summary>
public static class GenerationRow
{
    // ONNX's TensorProto.DataType.
    internal const byte UInt8 = 2, Int32 = 6;

    /// <summary>The request digest in the row leaf of an answer to this prompt.</summary>
    public static Hash256 RequestDigest(ReadOnlySpan<int> prompt) => TensorSetDigest.Of([Tokens("prompt", prompt)]);

    /// <summary>The output digest in the row leaf of a head.</summary>
    /// <param name="answer">All of the answer's tokens up to the head.</param>
    /// <param name="previous">Leaf hash of the answer's head before; zeros for its first.</param>
    public static Hash256 OutputDigest(FinishReason finish, in Hash256 previous, ReadOnlySpan<int> answer) => TensorSetDigest.Of(
    [
        ("finish", TensorSetDigest.Header("finish", UInt8, [1], 1), new[] { (byte)finish }),
        ("previous", TensorSetDigest.Header("previous", UInt8, [Hash256.Size], Hash256.Size), previous.ToArray()),
        Tokens("tokens", answer),
    ]);

    /// <summary>What statements about this model's answers say of it.</summary>
    public static StatementContext Context(string name, string version, TokenModelInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        return new StatementContext(name, version, info.Identity, info.Runtime, info.Determinism ?? (info.PrefillEqualsDecode ? DeterminismClass.A : DeterminismClass.U), PaddingMultiple: 1);
    }

    private static (string, byte[], ReadOnlyMemory<byte>) Tokens(string name, ReadOnlySpan<int> tokens) =>
        (name, TensorSetDigest.Header(name, Int32, [tokens.Length], 4L * tokens.Length), Bytes(tokens));

    private static byte[] Bytes(ReadOnlySpan<int> tokens)
    {
        var bytes = MemoryMarshal.AsBytes(tokens).ToArray();
        if (!BitConverter.IsLittleEndian)
            for (var i = 0; i < bytes.Length; i += 4) bytes.AsSpan(i, 4).Reverse();
        return bytes;
    }
}
