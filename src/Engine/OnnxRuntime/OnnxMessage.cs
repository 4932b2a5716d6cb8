namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>The messages of onnx.proto on the way to a tensor.</summary>
internal enum OnnxMessage
{
    /// <summary>Not a message, or one without tensors.</summary>
    Other,
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    Function,
}

/// <summary>Where tensors are: fields by their numbers in onnx.proto.</summary>
internal static class OnnxMessages
{
    // Deeper nesting is refused by protobuf itself.
    private const int MaxDepth = 100;

    /// <summary>GraphProto.initializer.</summary>
    public const int GraphInitializer = 5;

    public static OnnxMessage ChildOf(OnnxMessage message, in ProtoField field) => !field.IsMessage ? OnnxMessage.Other : (message, field.Number) switch
    {
        (OnnxMessage.Model, 7) => OnnxMessage.Graph,
        (OnnxMessage.Model, 25) => OnnxMessage.Function,
        (OnnxMessage.Graph, 1) or (OnnxMessage.Function, 7) => OnnxMessage.Node,
        (OnnxMessage.Graph, GraphInitializer) => OnnxMessage.Tensor,
        (OnnxMessage.Graph, 15) => OnnxMessage.SparseTensor,
        (OnnxMessage.Node, 5) or (OnnxMessage.Function, 11) => OnnxMessage.Attribute,
        (OnnxMessage.Attribute, 5 or 10) => OnnxMessage.Tensor,
        (OnnxMessage.Attribute, 6 or 11) => OnnxMessage.Graph,
        (OnnxMessage.Attribute, 22 or 23) => OnnxMessage.SparseTensor,
        (OnnxMessage.SparseTensor, 1 or 2) => OnnxMessage.Tensor,
        _ => OnnxMessage.Other,
    };

    /// <exception cref="OnnxFileException">Nested deeper than protobuf allows.</exception>
    public static void CheckDepth(int depth)
    {
        if (depth > MaxDepth) throw new OnnxFileException(ModelLoadReason.Corrupt, $"the file nests messages more than {MaxDepth} deep");
    }
}
