using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>
/// The digest over one row's outputs (docs/formats.md, "Tensor-set digest"). The bytes around the data are laid out once; that
/// they are laid out rightly is checked against <see cref="TensorSetDigest"/> at the start.
/// </summary>
internal sealed class OutputDigest
{
    private readonly byte[] _layout;

    // By output in the model's order: where its data stands in the layout, and how long it is.
    private readonly (int At, int Length)[] _slots;

    public OutputDigest(IReadOnlyList<TensorSpec> outputs)
    {
        var writer = new ByteWriter().Tag("OGE tensors v1"u8).U32((uint)outputs.Count);
        var at = 20;
        _slots = new (int, int)[outputs.Count];
        foreach (var index in Enumerable.Range(0, outputs.Count).OrderBy(i => outputs[i].Name, StringComparer.Ordinal))
        {
            var header = HeaderOf(outputs[index]);
            var length = checked((int)outputs[index].StaticRowBytes);
            writer.Bytes(header).Bytes(new byte[length]);
            _slots[index] = (at + header.Length, length);
            at += header.Length + length;
        }

        _layout = writer.ToArray();
        var zeros = outputs.Select(output => (output.Name, HeaderOf(output), (ReadOnlyMemory<byte>)new byte[output.StaticRowBytes]));
        if (Of(new byte[outputs.Sum(output => output.StaticRowBytes)]) != TensorSetDigest.Of(zeros)) throw new InvalidOperationException("the layout of the outputs' digest is wrong");
    }

    /// <param name="data">The outputs' bytes one after the other in the model's order.</param>
    public Hash256 Of(ReadOnlySpan<byte> data)
    {
        Span<byte> bytes = stackalloc byte[_layout.Length];
        _layout.CopyTo(bytes);
        foreach (var (at, length) in _slots)
        {
            data[..length].CopyTo(bytes[at..]);
            data = data[length..];
        }

        return Hash256.Sha256(bytes);
    }

    private static byte[] HeaderOf(TensorSpec output)
    {
        var shape = output.Dimensions.ToArray();
        shape[0] = 1;
        return TensorSetDigest.Header(output.Name, (byte)output.Type, shape, output.StaticRowBytes);
    }
}
