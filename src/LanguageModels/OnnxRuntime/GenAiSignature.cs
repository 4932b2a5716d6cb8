using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>Where a decoder's tensors are among the model's inputs and outputs, checked against the configuration.</summary>
internal sealed class GenAiSignature
{
    private const int Missing = -1;

    private readonly GenAiConfig _config;

    /// <exception cref="LanguageModelLoadException">A tensor is missing, unknown, or of another type or shape; the message names it.</exception>
    public GenAiSignature(GenAiConfig config, IReadOnlyList<TensorSpec> inputs, IReadOnlyList<TensorSpec> outputs)
    {
        _config = config;
        var names = config.Names;
        InputIds = Ids(inputs, names.InputIds, required: true);
        // Without it nothing says how long each sequence is.
        AttentionMask = Ids(inputs, names.AttentionMask, required: true);
        PositionIds = Ids(inputs, names.PositionIds, names.NamesPositionIds);
        PastKeys = Cache(inputs, names.PastKeys, "input");
        PastValues = Cache(inputs, names.PastValues, "input");
        PresentKeys = Cache(outputs, names.PresentKeys, "output");
        PresentValues = Cache(outputs, names.PresentValues, "output");
        CacheType = inputs[PastKeys[0]].Type;
        foreach (var spec in PastKeys.Concat(PastValues).Select(i => inputs[i]).Concat(PresentKeys.Concat(PresentValues).Select(i => outputs[i])))
            if (spec.Type != CacheType) throw Bad($"'{spec.Name}' is of type {spec.Type}, other caches of type {CacheType}");

        Logits = Rows(outputs, names.Logits, config.VocabularySize, required: true);
        HiddenStates = Rows(outputs, names.HiddenStates, config.HiddenSize, required: false);
        LogitsType = outputs[Logits].Type;
        HiddenType = HiddenStates == Missing ? ElementType.None : outputs[HiddenStates].Type;
        IsLastOnly = outputs[Logits].Dimensions[1] == 1;
        RefuseUnknown(inputs);
    }

    public int InputIds { get; }

    public int AttentionMask { get; }

    /// <summary>−1 where the model has none.</summary>
    public int PositionIds { get; }

    public int[] PastKeys { get; }

    public int[] PastValues { get; }

    public int[] PresentKeys { get; }

    public int[] PresentValues { get; }

    public int Logits { get; }

    /// <summary>−1 where the model has none.</summary>
    public int HiddenStates { get; }

    public ElementType CacheType { get; }

    public ElementType LogitsType { get; }

    public ElementType HiddenType { get; }

    /// <summary>Whether the model gives one row of logits per sequence, however many tokens came.</summary>
    public bool IsLastOnly { get; }

    private static int Find(IReadOnlyList<TensorSpec> specs, string name)
    {
        for (var i = 0; i < specs.Count; i++)
            if (specs[i].Name == name) return i;
        return Missing;
    }

    private static int Ids(IReadOnlyList<TensorSpec> inputs, string name, bool required)
    {
        var index = Find(inputs, name);
        if (index == Missing) return required ? throw Bad($"it has no input '{name}', which {GenAiConfig.FileName} names") : Missing;
        var spec = inputs[index];
        if (spec.Type is not (ElementType.Int64 or ElementType.Int32)) throw Bad($"input '{name}' is of type {spec.Type}, not of token ids");
        if (spec.Rank != 2 || spec.Dimensions[0] >= 0 || spec.Dimensions[1] >= 0) throw Bad($"input {spec} is not [batch, length], both open");
        return index;
    }

    private int[] Cache(IReadOnlyList<TensorSpec> specs, string pattern, string kind)
    {
        var found = new int[_config.Layers];
        for (var layer = 0; layer < found.Length; layer++)
        {
            var name = GenAiNames.OfLayer(pattern, layer);
            found[layer] = Find(specs, name);
            if (found[layer] == Missing) throw Bad($"it has no {kind} '{name}', though {GenAiConfig.FileName} says {_config.Layers} layers");
            var spec = specs[found[layer]];
            if (spec.Type is not (ElementType.Float32 or ElementType.Float16)) throw Bad($"{kind} '{name}' is of type {spec.Type}: caches are float32 or float16");
            if (spec.Rank != 4 || spec.Dimensions[0] >= 0 || spec.Dimensions[2] >= 0) throw Bad($"{kind} {spec} is not [batch, heads, length, size] with batch and length open");
            Fits(spec, 1, _config.KeyValueHeads, "num_key_value_heads");
            Fits(spec, 3, _config.HeadSize, "head_size");
        }

        // One layer more than the configuration knows would be a cache that nobody feeds.
        var next = GenAiNames.OfLayer(pattern, found.Length);
        return Find(specs, next) == Missing ? found : throw Bad($"it has the {kind} '{next}', though {GenAiConfig.FileName} says {_config.Layers} layers");
    }

    private static int Rows(IReadOnlyList<TensorSpec> outputs, string name, int width, bool required)
    {
        var index = Find(outputs, name);
        if (index == Missing) return required ? throw Bad($"it has no output '{name}', which {GenAiConfig.FileName} names") : Missing;
        var spec = outputs[index];
        if (spec.Type is not (ElementType.Float32 or ElementType.Float16)) throw Bad($"output '{name}' is of type {spec.Type}, not float32 or float16");
        if (spec.Rank != 3 || spec.Dimensions[0] >= 0) throw Bad($"output {spec} is not [batch, length, {width}] with batch open");
        Fits(spec, 2, width, required ? "vocab_size" : "hidden_size");
        return index;
    }

    private static void Fits(TensorSpec spec, int dimension, int said, string field)
    {
        var declared = spec.Dimensions[dimension];
        if (declared >= 0 && declared != said) throw Bad($"{spec} has {declared} in dimension {dimension}, but {GenAiConfig.FileName} says {field} {said}");
    }

    private void RefuseUnknown(IReadOnlyList<TensorSpec> inputs)
    {
        var known = new HashSet<int>([InputIds, AttentionMask, PositionIds, .. PastKeys, .. PastValues]);
        for (var i = 0; i < inputs.Count; i++)
            if (!known.Contains(i)) throw Bad($"it has the input '{inputs[i].Name}', which {GenAiConfig.FileName} does not name");
    }

    private static LanguageModelLoadException Bad(string problem) => new($"the model does not fit its {GenAiConfig.FileName}: {problem}");
}
