namespace OpenGradient.Engine.LanguageModels.Sampling;

/// <summary>How the next token is drawn from the logits. Immutable; every field is committed in the receipt's parameters.</summary>
public sealed record SamplingParameters
{
    /// <summary>Divides the logits. 0 takes the largest logit (the lowest token id among equals). Default 1: the model's own distribution.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Keeps the most probable this many; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of most probable tokens whose sum reaches this; 1 keeps all.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Keeps tokens at least this fraction as probable as the most probable one; 0 keeps all.</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens that occurred in prompt or answer; 1 changes nothing.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted once from the logit of each token that occurred in the answer.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit for each time it occurred in the answer.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Draw number n is a function of this and n alone. Null: chosen at random at admission, and committed.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Added to the logits of single tokens.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = System.Collections.Frozen.FrozenDictionary<int, float>.Empty;

    /// <summary>Of how many alternatives per token the log-probabilities are reported, 0 to 20; null reports none, not even the chosen token's.</summary>
    public int? TopLogprobs { get; init; }
}
