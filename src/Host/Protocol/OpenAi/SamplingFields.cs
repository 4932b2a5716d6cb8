using System.Globalization;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>Reads how tokens are drawn. Ranges are that API's; what it does not have (<c>top_k</c>, <c>min_p</c>, <c>repetition_penalty</c>) is called as other servers call it.</summary>
internal static class SamplingFields
{
    // That API's.
    public const int MaxTopLogprobs = 20;
    private const int MaxBiases = 1024;

    /// <param name="topLogprobs">Read by the caller: the two endpoints spell it differently.</param>
    public static SamplingParameters Read(Fields fields, int? topLogprobs) => new()
    {
        Temperature = fields.Number("temperature", 0, 2) ?? 1,
        TopP = fields.Number("top_p", 0, 1) ?? 1,
        // Other servers write -1 for "all".
        TopK = Math.Max(0, fields.Integer("top_k", -1, int.MaxValue) ?? 0),
        MinP = fields.Number("min_p", 0, 1) ?? 0,
        RepetitionPenalty = fields.Number("repetition_penalty", 0.01, 100) ?? 1,
        PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
        FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
        Seed = Seed(fields),
        LogitBias = Biases(fields),
        TopLogprobs = topLogprobs,
    };

    private static ulong? Seed(Fields fields)
    {
        if (fields.Any("seed") is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number) throw OpenAiException.WrongType("seed", "an integer");
        if (value.TryGetUInt64(out var seed)) return seed;
        return value.TryGetInt64(out var negative) ? unchecked((ulong)negative) : throw OpenAiException.WrongType("seed", "an integer of 64 bits");
    }

    private static Dictionary<int, float> Biases(Fields fields)
    {
        var biases = new Dictionary<int, float>();
        if (fields.Any("logit_bias") is not { } value) return biases;
        if (value.ValueKind != JsonValueKind.Object) throw OpenAiException.WrongType("logit_bias", "an object");
        foreach (var bias in value.EnumerateObject())
        {
            var path = $"logit_bias.{bias.Name}";
            if (!int.TryParse(bias.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token)) throw OpenAiException.Invalid("logit_bias", $"has {Quoted.Text(bias.Name)}, which is not a token id");
            if (bias.Value.ValueKind != JsonValueKind.Number || !bias.Value.TryGetDouble(out var amount)) throw OpenAiException.WrongType(path, "a number");
            if (amount is not (>= -100 and <= 100)) throw OpenAiException.Invalid(path, "is not between -100 and 100");
            if (biases.Count == MaxBiases) throw OpenAiException.Invalid("logit_bias", $"has more than {MaxBiases} tokens");
            // 7 and 07 are one token.
            if (!biases.TryAdd(token, (float)amount)) throw OpenAiException.Invalid("logit_bias", $"names token {token} twice");
        }

        return biases;
    }
}
