using System.Globalization;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>What the decoder's inputs and outputs are called; where the configuration is silent, as ONNX Runtime GenAI calls them.</summary>
internal sealed record GenAiNames
{
    private const string Layer = "%d";

    // What else ONNX Runtime GenAI knows feeds other operators than those served here.
    private static readonly string[] KnownInputs = ["input_ids", "attention_mask", "position_ids", "past_key_names", "past_value_names"];

    public required string InputIds { get; init; }

    public required string AttentionMask { get; init; }

    public required string PositionIds { get; init; }

    /// <summary>Whether the configuration names it, so that the model must have it.</summary>
    public required bool NamesPositionIds { get; init; }

    public required string PastKeys { get; init; }

    public required string PastValues { get; init; }

    public required string Logits { get; init; }

    public required string PresentKeys { get; init; }

    public required string PresentValues { get; init; }

    public required string HiddenStates { get; init; }

    public static GenAiNames Read(GenAiJson decoder)
    {
        var inputs = decoder.Part("inputs");
        var outputs = decoder.Part("outputs");
        if (inputs.Names.FirstOrDefault(name => !KnownInputs.Contains(name)) is { } unknown)
            throw new LanguageModelLoadException($"{GenAiConfig.FileName}: 'model.decoder.inputs.{unknown}': models with this input are not served");
        return new GenAiNames
        {
            InputIds = inputs.Text("input_ids", "input_ids"),
            AttentionMask = inputs.Text("attention_mask", "attention_mask"),
            PositionIds = inputs.Text("position_ids", "position_ids"),
            NamesPositionIds = inputs.Find("position_ids") is not null,
            PastKeys = Pattern(inputs, "past_key_names", "past_key_values.%d.key"),
            PastValues = Pattern(inputs, "past_value_names", "past_key_values.%d.value"),
            Logits = outputs.Text("logits", "logits"),
            PresentKeys = Pattern(outputs, "present_key_names", "present.%d.key"),
            PresentValues = Pattern(outputs, "present_value_names", "present.%d.value"),
            HiddenStates = outputs.Text("hidden_states", "hidden_states"),
        };
    }

    public static string OfLayer(string pattern, int layer) => pattern.Replace(Layer, layer.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static string Pattern(GenAiJson part, string name, string standard)
    {
        var pattern = part.Text(name, standard);
        return pattern.Split('%').Length == 2 && pattern.Contains(Layer, StringComparison.Ordinal)
            ? pattern
            : throw new LanguageModelLoadException($"{GenAiConfig.FileName}: '{part.Path(name)}': '{pattern}' does not say once, by %d, where the layer's number goes");
    }
}
