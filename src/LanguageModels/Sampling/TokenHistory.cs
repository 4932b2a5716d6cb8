namespace OpenGradient.Engine.LanguageModels.Sampling;

/// <summary>Which tokens occurred, for penalties. Used by one thread at a time.</summary>
internal sealed class TokenHistory
{
    private readonly HashSet<int> _seen = [];
    private readonly Dictionary<int, int> _answered = [];
    private readonly SamplingParameters _parameters;

    public TokenHistory(SamplingParameters parameters, ReadOnlySpan<int> prompt)
    {
        _parameters = parameters;
        if (Repeats)
            foreach (var token in prompt) _seen.Add(token);
    }

    private bool Repeats => _parameters.RepetitionPenalty != 1;

    private bool Counts => _parameters.PresencePenalty != 0 || _parameters.FrequencyPenalty != 0;

    public bool ChangesLogits => Repeats || Counts;

    public void Add(int token)
    {
        if (Repeats) _seen.Add(token);
        if (Counts) _answered[token] = _answered.GetValueOrDefault(token) + 1;
    }

    /// <summary>Each token's logit is changed by itself, so the order of tokens does not matter.</summary>
    public void Apply(Span<float> logits)
    {
        foreach (var token in _seen)
        {
            if (token >= logits.Length) continue;
            ref var logit = ref logits[token];
            logit = logit > 0 ? logit / _parameters.RepetitionPenalty : logit * _parameters.RepetitionPenalty;
        }

        foreach (var (token, count) in _answered)
        {
            ref var logit = ref logits[token];
            logit -= _parameters.FrequencyPenalty * count;
            logit -= _parameters.PresencePenalty;
        }
    }
}
