namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Finds the tensors of an ONNX file that keep their data in other files: in graphs, subgraphs, functions, attributes and sparse tensors.</summary>
internal static class OnnxExternalData
{
    /// <summary>The locations that the model names, each once, in order of first appearance.</summary>
    /// <exception cref="OnnxFileException">The bytes are not ONNX, or a tensor's location or range is not usable.</exception>
    public static IReadOnlyList<string> Locations(ReadOnlySpan<byte> model)
    {
        var locations = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        Walk(model, OnnxMessage.Model, 0, locations, known);
        return locations;
    }

    private static void Walk(ReadOnlySpan<byte> bytes, OnnxMessage message, int depth, List<string> locations, HashSet<string> known)
    {
        OnnxMessages.CheckDepth(depth);
        var reader = new ProtoReader(bytes);
        while (reader.TryRead(out var field))
        {
            var child = OnnxMessages.ChildOf(message, field);
            if (child == OnnxMessage.Tensor)
            {
                if (OnnxExternalTensor.Read(field.Payload) is { } tensor && known.Add(tensor.Location)) locations.Add(tensor.Location);
            }
            else if (child != OnnxMessage.Other)
            {
                Walk(field.Payload, child, depth + 1, locations, known);
            }
        }
    }
}
