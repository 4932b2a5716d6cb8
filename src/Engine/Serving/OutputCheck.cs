using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// Holds what a backend call left against the model's declaration: rank, every fixed dimension, and as many bytes as the shape
/// takes. What differs would be sliced at wrong places and sealed under a shape that it does not have.
/// </summary>
internal static class OutputCheck
{
    /// <summary>Null when every output is as declared; otherwise the first that is not, with both shapes.</summary>
    public static BackendFault? Find(IReadOnlyList<TensorSpec> declared, ExecutionBuffers buffers)
    {
        for (var i = 0; i < declared.Count; i++)
        {
            var spec = declared[i];
            var shape = buffers.OutputShapes[i];
            if (!Fits(spec.Dimensions, shape)) return Fault(spec, $"has shape [{string.Join(',', shape)}], the model declares [{string.Join(',', spec.Dimensions.ToArray())}]");
            if (ByteCount(spec.Type, shape) != buffers.OutputBytes[i] || (buffers.OutputBytes[i] > 0 && buffers.OutputData[i] == 0))
                return Fault(spec, $"has {buffers.OutputBytes[i]} bytes, its shape [{string.Join(',', shape)}] takes others");
        }

        return null;
    }

    private static BackendFault Fault(TensorSpec spec, string how) => new($"output '{spec.Name}' {how}", $"declared {spec}");

    private static bool Fits(ReadOnlySpan<long> declared, ReadOnlySpan<long> shape)
    {
        if (shape.Length != declared.Length) return false;
        for (var i = 0; i < shape.Length; i++)
            if (shape[i] < 0 || (declared[i] >= 0 && shape[i] != declared[i])) return false;
        return true;
    }

    /// <summary>−1 when the number does not fit.</summary>
    private static long ByteCount(ElementType type, ReadOnlySpan<long> shape)
    {
        Int128 bytes = ElementTypes.SizeOf(type);
        foreach (var dimension in shape)
        {
            bytes *= dimension;
            if (bytes > long.MaxValue) return -1;
        }

        return (long)bytes;
    }
}
