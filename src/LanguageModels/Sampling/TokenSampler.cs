using System.Collections.Concurrent;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Sampling.Arithmetic;

namespace OpenGradient.Engine.LanguageModels.Sampling;

/// <summary>What came of a row of logits.</summary>
public enum SamplingOutcome
{
    Chosen,

    /// <summary>A logit was NaN or positive infinity.</summary>
    NotFinite,

    /// <summary>Every token was forbidden, by the mask or by logits of negative infinity.</summary>
    NothingAllowed,
}

/// <param name="Token">−1 unless one was chosen.</param>
/// <param name="Logprobs">Set where they were asked for: of the model's own distribution, before penalties, bias, mask and temperature.</param>
public readonly record struct SampledToken(SamplingOutcome Outcome, int Token, TokenLogprobs? Logprobs);

/// <summary>
/// Chooses one answer's tokens: a pure function of logits, prompt, tokens so far, parameters, seed and index, with the same
/// result on every machine (docs/formats.md, "Random draws"). Penalties, then bias, mask, temperature, top-k, top-p, min-p: the
/// order of Hugging Face's logits processors and warpers. Used by one thread at a time.
/// </summary>
public sealed class TokenSampler
{
    /// <summary>Names this rule in the committed parameters.</summary>
    public const int Rule = 1;

    // Work space is a few megabytes for a large vocabulary: as many as threads sample at once, not as answers are under way.
    private static readonly ConcurrentBag<Workspace> Unused = [];

    private readonly SamplingParameters _parameters;
    private readonly TokenHistory _history;
    private readonly ulong _seed;

    /// <param name="parameters">Within <see cref="SamplingLimits"/>.</param>
    /// <param name="seed">The seed in effect; <see cref="SamplingParameters.Seed"/> is not looked at.</param>
    public TokenSampler(SamplingParameters parameters, ulong seed, ReadOnlySpan<int> prompt)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _parameters = parameters;
        _seed = seed;
        _history = new TokenHistory(parameters, prompt);
    }

    /// <summary>Tokens accepted so far: the index of the next draw.</summary>
    public int Index { get; private set; }

    /// <summary>Takes a token as the answer's next one.</summary>
    public void Accept(int token)
    {
        _history.Add(token);
        Index++;
    }

    /// <summary>Chooses the next token, without accepting it.</summary>
    /// <param name="logits">One row; overwritten where parameters or mask change it.</param>
    /// <param name="allowed">One bit per token, lowest first, at least as many as columns; empty allows all.</param>
    public SampledToken Next(Span<float> logits, ReadOnlySpan<ulong> allowed)
    {
        if (!Unused.TryTake(out var workspace)) workspace = new Workspace();
        try
        {
            return Next(logits, allowed, workspace);
        }
        finally
        {
            Unused.Add(workspace);
        }
    }

    private SampledToken Next(Span<float> logits, ReadOnlySpan<ulong> allowed, Workspace workspace)
    {
        ReadOnlySpan<float> raw = logits;
        if (_parameters.TopLogprobs is not null && ChangesLogits(allowed)) raw = workspace.Copy(logits);
        // NaN is looked for before anything is masked, so that it does not depend on the mask.
        if (!LogitScan.TryMax(logits, out var max)) return new SampledToken(SamplingOutcome.NotFinite, -1, null);
        var rawMax = max;
        if (ChangesLogits(allowed))
        {
            Change(logits, allowed);
            // A large logit divided by a small penalty can leave what a float holds.
            if (!LogitScan.TryMax(logits, out max)) return new SampledToken(SamplingOutcome.NotFinite, -1, null);
        }

        if (float.IsNegativeInfinity(max)) return new SampledToken(SamplingOutcome.NothingAllowed, -1, null);
        var token = _parameters.Temperature < SamplingLimits.LeastTemperature ? LogitScan.IndexOf(logits, max) : Draw(logits, max, workspace.Weights);
        return new SampledToken(SamplingOutcome.Chosen, token, _parameters.TopLogprobs is { } top ? Logprobs(raw, rawMax, token, top) : null);
    }

    private int Draw(ReadOnlySpan<float> logits, float max, WeightTable weights)
    {
        weights.Fill(logits, max, 1 / _parameters.Temperature);
        var (last, total) = (0ul, weights.Total);
        if (_parameters.TopK > 0 || _parameters.TopP < 1 || _parameters.MinP > 0)
            last = weights.Keep(_parameters.TopK, _parameters.TopP, _parameters.MinP, out total);
        var target = Math.BigMul(RandomDraws.Draw(_seed, (ulong)Index), (ulong)total, out _);
        return weights.At((long)target, last);
    }

    private bool ChangesLogits(ReadOnlySpan<ulong> allowed) => _history.ChangesLogits || _parameters.LogitBias.Count > 0 || !allowed.IsEmpty;

    private void Change(Span<float> logits, ReadOnlySpan<ulong> allowed)
    {
        _history.Apply(logits);
        foreach (var (token, bias) in _parameters.LogitBias) logits[token] += bias;
        if (allowed.IsEmpty) return;
        for (var start = 0; start < logits.Length; start += 64)
        {
            var bits = allowed[start / 64];
            if (bits == ulong.MaxValue) continue;
            var columns = logits[start..Math.Min(start + 64, logits.Length)];
            if (bits == 0)
            {
                columns.Fill(float.NegativeInfinity);
                continue;
            }

            for (var i = 0; i < columns.Length; i++)
                if ((bits >> i & 1) == 0) columns[i] = float.NegativeInfinity;
        }
    }

    private static TokenLogprobs Logprobs(ReadOnlySpan<float> raw, float max, int token, int top)
    {
        var sum = LogitScan.LogSum(raw, max);
        Span<int> columns = stackalloc int[top];
        var count = LogitScan.Largest(raw, columns);
        while (count > 0 && float.IsNegativeInfinity(raw[columns[count - 1]])) count--;
        var alternatives = new (int, float)[count];
        for (var i = 0; i < count; i++) alternatives[i] = (columns[i], (float)((double)raw[columns[i]] - max - sum));
        return new TokenLogprobs(token, (float)((double)raw[token] - max - sum), alternatives);
    }

    private sealed class Workspace
    {
        private float[] _row = [];

        public WeightTable Weights { get; } = new();

        public ReadOnlySpan<float> Copy(ReadOnlySpan<float> row)
        {
            if (_row.Length < row.Length) _row = new float[row.Length];
            row.CopyTo(_row);
            return _row.AsSpan(0, row.Length);
        }
    }
}
