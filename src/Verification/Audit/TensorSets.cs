using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>Between the bytes of a tensor set and its tensors.</summary>
internal static class TensorSets
{
    /// <exception cref="FormatException">Not a tensor set's canonical bytes.</exception>
    public static NamedTensor[] Read(ReadOnlyMemory<byte> bytes) =>
        [.. TensorSetBytes.Decode(bytes).Select(part => new NamedTensor(part.Name, TypeOf(part), part.Dimensions, part.Data))];

    public static byte[] Write(IEnumerable<NamedTensor> tensors) => TensorSetBytes.Of(
        tensors.Select(tensor => (tensor.Name, TensorSetDigest.Header(tensor.Name, (byte)tensor.Type, tensor.Shape.Span, tensor.Data.Length), tensor.Data)));

    // A type that this build does not know, or data that its shape does not take, would be compared as something else.
    private static ElementType TypeOf(TensorPart part)
    {
        var type = (ElementType)part.ElementType;
        if (!Enum.IsDefined(type) || type == ElementType.None) throw new FormatException($"tensors: '{part.Name}' has the unknown element type {part.ElementType}");
        var bytes = (UInt128)ElementTypes.SizeOf(type);
        foreach (var dimension in part.Dimensions.Span)
        {
            bytes *= (ulong)dimension;
            if (bytes > long.MaxValue) break;
        }

        return bytes == (ulong)part.Data.Length ? type : throw new FormatException($"tensors: '{part.Name}' has {part.Data.Length} bytes, its shape takes another number");
    }
}
