using System.Text;
using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>A node of a model's main graph.</summary>
/// <param name="Domain">Empty for ONNX's own operators.</param>
/// <param name="Inputs">Names of values; empty for one that is left out.</param>
/// <param name="Integers">Its integer attributes.</param>
public sealed record OnnxNode(
    string Domain, string Operator, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyDictionary<string, long> Integers);

/// <summary>What a model's main graph is made of, read from its bytes without opening it.</summary>
/// <param name="Constants">Names of values that are the same in every call: initializers and outputs of Constant nodes.</param>
/// <param name="IsFlat">Whether there is nothing else: no subgraphs, no functions of the model's own.</param>
public sealed record OnnxGraph(IReadOnlyList<OnnxNode> Nodes, IReadOnlySet<string> Constants, bool IsFlat)
{
    // The largest published graphs have some hundred thousand.
    private const int MaxNodes = 1_000_000;

    private const int ModelGraph = 7, ModelFunctions = 25, GraphNode = 1, GraphInitializer = 5;
    private const int NodeInput = 1, NodeOutput = 2, NodeOperator = 4, NodeAttribute = 5, NodeDomain = 7;
    private const int AttributeName = 1, AttributeInteger = 3, AttributeGraph = 6, AttributeGraphs = 11;

    /// <exception cref="ModelLoadException">The bytes are not ONNX, or the graph has more nodes than any that is served.</exception>
    public static unsafe OnnxGraph Read(string modelName, ReadOnlyNativeMemory model)
    {
        try
        {
            return Read(new ReadOnlySpan<byte>(model.Pointer, checked((int)model.Length)));
        }
        catch (OnnxFileException error)
        {
            throw new ModelLoadException(error.Reason, $"model '{modelName}': {error.Message}", error);
        }
    }

    private static OnnxGraph Read(ReadOnlySpan<byte> model)
    {
        var nodes = new List<OnnxNode>();
        var constants = new HashSet<string>(StringComparer.Ordinal);
        var isFlat = true;
        var reader = new ProtoReader(model);
        while (reader.TryRead(out var field))
        {
            if (field.Number == ModelFunctions) isFlat = false;
            if (field.Number != ModelGraph) continue;
            var graph = new ProtoReader(field.Payload);
            while (graph.TryRead(out var part))
            {
                if (part.Number == GraphInitializer) constants.Add(NameOf(part.Payload));
                if (part.Number == GraphNode) isFlat &= AddNode(part.Payload, nodes);
            }
        }

        foreach (var node in nodes.Where(node => node is { Domain: "", Operator: "Constant" })) constants.UnionWith(node.Outputs);
        return new OnnxGraph(nodes, constants, isFlat);
    }

    /// <summary>Whether the node holds no graphs of its own.</summary>
    private static bool AddNode(ReadOnlySpan<byte> bytes, List<OnnxNode> nodes)
    {
        if (nodes.Count == MaxNodes) throw new OnnxFileException(ModelLoadReason.Unsupported, $"the graph has more than {MaxNodes} nodes");
        string domain = "", type = "";
        List<string> inputs = [], outputs = [];
        Dictionary<string, long> integers = [];
        var isFlat = true;
        var reader = new ProtoReader(bytes);
        while (reader.TryRead(out var field))
        {
            switch (field.Number)
            {
                case NodeInput: inputs.Add(Encoding.UTF8.GetString(field.Payload)); break;
                case NodeOutput: outputs.Add(Encoding.UTF8.GetString(field.Payload)); break;
                case NodeOperator: type = Encoding.UTF8.GetString(field.Payload); break;
                case NodeDomain: domain = Encoding.UTF8.GetString(field.Payload); break;
                case NodeAttribute: isFlat &= AddAttribute(field.Payload, integers); break;
            }
        }

        // The library knows ONNX's own domain by two names.
        nodes.Add(new OnnxNode(domain == "ai.onnx" ? "" : domain, type, inputs, outputs, integers));
        return isFlat;
    }

    private static bool AddAttribute(ReadOnlySpan<byte> bytes, Dictionary<string, long> integers)
    {
        var name = "";
        long? value = null;
        var isFlat = true;
        var reader = new ProtoReader(bytes);
        while (reader.TryRead(out var field))
        {
            switch (field.Number)
            {
                case AttributeName: name = Encoding.UTF8.GetString(field.Payload); break;
                case AttributeInteger: value = (long)field.Value; break;
                case AttributeGraph or AttributeGraphs: isFlat = false; break;
            }
        }

        if (value is { } integer) integers[name] = integer;
        return isFlat;
    }

    private static string NameOf(ReadOnlySpan<byte> tensor)
    {
        var reader = new ProtoReader(tensor);
        while (reader.TryRead(out var field))
            if (field.Number == OnnxExternalTensor.NameField) return Encoding.UTF8.GetString(field.Payload);
        return "";
    }
}
