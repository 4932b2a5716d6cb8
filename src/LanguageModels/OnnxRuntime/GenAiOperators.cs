using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>
/// What a decoder's graph says about its numbers: in which precision the weights are, and whether every operator in it computes
/// a row without regard to the other rows of the batch. The second is a list of what was tried, bit for bit, on ONNX Runtime's
/// CPU provider (docs/adr/0023); a model with anything else decodes each sequence alone.
/// </summary>
internal sealed class GenAiOperators
{
    private const string Microsoft = "com.microsoft";

    // 4: products of int8. Below it one row has another kernel than several (docs/adr/0023).
    private const long InvariantAccuracy = 4;

    private static readonly HashSet<string> Plain =
    [
        "Add", "Sub", "Mul", "Div", "Cast", "Concat", "Constant", "ConstantOfShape", "Expand", "Gather", "Identity", "LayerNormalization",
        "Range", "ReduceSum", "Reshape", "Shape", "Sigmoid", "SimplifiedLayerNormalization", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
    ];

    private static readonly HashSet<string> Contributed =
    [
        "FastGelu", "Gelu", "GroupQueryAttention", "MatMulNBits", "QuickGelu", "RotaryEmbedding", "SimplifiedLayerNormalization", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization",
    ];

    public GenAiOperators(OnnxGraph graph)
    {
        Precision = PrecisionOf(graph);
        Unproven = graph.IsFlat ? graph.Nodes.Where(node => !IsProven(graph, node)).Select(Describe).FirstOrDefault() : "subgraphs or functions";
        AttendsInGroups = graph.Nodes.Any(node => node is { Domain: Microsoft, Operator: "GroupQueryAttention" });
    }

    /// <summary><c>int4</c>, <c>int8</c>, several joined by <c>+</c>, or <c>float</c> where no weights are quantized.</summary>
    public string Precision { get; }

    /// <summary>The first operator that is not known to be independent of the batch; null for none.</summary>
    public string? Unproven { get; }

    public bool AttendsInGroups { get; }

    private static string PrecisionOf(OnnxGraph graph)
    {
        var bits = graph.Nodes.Where(node => node is { Domain: Microsoft, Operator: "MatMulNBits" })
            .Select(node => node.Integers.GetValueOrDefault("bits", 4)).Distinct().Order().ToArray();
        return bits.Length == 0 ? "float" : string.Join('+', bits.Select(count => FormattableString.Invariant($"int{count}")));
    }

    private static bool IsProven(OnnxGraph graph, OnnxNode node) => (node.Domain, node.Operator) switch
    {
        ("", "MatMul" or "Gemm") => node.Inputs.Count >= 2 && graph.Constants.Contains(node.Inputs[1]),
        (Microsoft, "MatMulNBits") => node.Integers.GetValueOrDefault("accuracy_level") == InvariantAccuracy,
        ("", _) => Plain.Contains(node.Operator),
        (Microsoft, _) => Contributed.Contains(node.Operator),
        _ => false,
    };

    private static string Describe(OnnxNode node) => node is { Domain: Microsoft, Operator: "MatMulNBits" }
        ? FormattableString.Invariant($"MatMulNBits with accuracy_level {node.Integers.GetValueOrDefault("accuracy_level")}")
        : node.Operator;
}
