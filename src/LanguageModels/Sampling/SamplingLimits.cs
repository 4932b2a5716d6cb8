namespace OpenGradient.Engine.LanguageModels.Sampling;

/// <summary>
/// What parameters may be. Names are those of OpenAI's API, since that is where most values come from.
/// </summary>
public static class SamplingLimits
{
    /// <summary>The uniform distribution in all but name; what is above it was meant as something else.</summary>
    public const float MaxTemperature = 100;

    /// <summary>2^−10: below it the largest logit is taken, as at 0. A tenth of a logit is then e to the power of −100.</summary>
    public const float LeastTemperature = 1f / 1024;

    /// <summary>As OpenAI's API has it, and enough to forbid a token or to force it.</summary>
    public const float MaxBias = 100;

    /// <summary>As OpenAI's API has it.</summary>
    public const float MaxPenalty = 2;

    public const float MaxRepetitionPenalty = 100;

    /// <summary>Each is looked at per token: more is a mask, and that is what constraints are for.</summary>
    public const int MaxBiases = 1024;

    public const int MaxTopLogprobs = 20;

    /// <summary>Null when every value can be used, otherwise a sentence that names the first that cannot.</summary>
    /// <param name="vocabularySize">Columns of a logit row.</param>
    public static string? Error(SamplingParameters parameters, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        return Range("temperature", parameters.Temperature, 0, MaxTemperature)
            ?? (parameters.TopK >= 0 ? null : $"top_k is {parameters.TopK}; it is 0 for all tokens, or how many are kept")
            ?? (parameters.TopP > 0 ? Range("top_p", parameters.TopP, 0, 1) : $"top_p is {parameters.TopP}; it is above 0 and at most 1")
            ?? Range("min_p", parameters.MinP, 0, 1)
            ?? (parameters.RepetitionPenalty > 0 ? null : $"repetition_penalty is {parameters.RepetitionPenalty}; it is above 0 and at most {MaxRepetitionPenalty}")
            ?? Range("repetition_penalty", parameters.RepetitionPenalty, 1 / MaxRepetitionPenalty, MaxRepetitionPenalty)
            ?? Range("presence_penalty", parameters.PresencePenalty, -MaxPenalty, MaxPenalty)
            ?? Range("frequency_penalty", parameters.FrequencyPenalty, -MaxPenalty, MaxPenalty)
            ?? (parameters.TopLogprobs is null or (>= 0 and <= MaxTopLogprobs) ? null : $"top_logprobs is {parameters.TopLogprobs}; it is 0 to {MaxTopLogprobs}")
            ?? Biases(parameters.LogitBias, vocabularySize);
    }

    private static string? Biases(IReadOnlyDictionary<int, float> biases, int vocabularySize)
    {
        if (biases is null) return "logit_bias is null";
        if (biases.Count > MaxBiases) return $"logit_bias has {biases.Count} tokens; at most {MaxBiases}";
        foreach (var (token, bias) in biases)
        {
            if (token < 0 || token >= vocabularySize) return $"logit_bias names token {token}; the vocabulary has {vocabularySize}";
            if (Range($"logit_bias of token {token}", bias, -MaxBias, MaxBias) is { } error) return error;
        }

        return null;
    }

    // Written so that NaN is in no range.
    private static string? Range(string name, float value, float least, float most) =>
        value >= least && value <= most ? null : $"{name} is {value}; it is {least} to {most}";
}
