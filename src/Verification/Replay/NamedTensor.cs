using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>One tensor of a request or of an answer.</summary>
/// <param name="Name">The model's name for it.</param>
/// <param name="Shape">All dimensions, as the request or answer itself has them.</param>
/// <param name="Data">Little-endian elements.</param>
public sealed record NamedTensor(string Name, ElementType Type, ReadOnlyMemory<long> Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>A tensor of elements, copied; bool is one byte each.</summary>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> is not an element type.</exception>
    public static NamedTensor Of<T>(string name, ReadOnlySpan<long> shape, ReadOnlySpan<T> data) where T : unmanaged
    {
        var type = ElementTypes.Of<T>();
        if (type == ElementType.None) throw new ArgumentException($"{typeof(T)} is not a tensor element type", nameof(data));
        return new NamedTensor(name, type, shape.ToArray(), MemoryMarshal.AsBytes(data).ToArray());
    }

    /// <summary>The digest over a whole set (docs/formats.md, "Tensor-set digest"), in any order.</summary>
    /// <exception cref="ArgumentException">A name occurs twice, or a shape has a negative dimension or too many.</exception>
    public static Hash256 DigestOf(IEnumerable<NamedTensor> tensors) => TensorSetDigest.Of(tensors.Select(tensor => (tensor.Name, tensor.Header(), tensor.Data)));

    private byte[] Header()
    {
        if (Shape.Length > byte.MaxValue || Shape.Span.ContainsAnyInRange(long.MinValue, -1)) throw new ArgumentException($"tensor '{Name}' has no shape that a digest covers");
        return TensorSetDigest.Header(Name, (byte)Type, Shape.Span, Data.Length);
    }
}
