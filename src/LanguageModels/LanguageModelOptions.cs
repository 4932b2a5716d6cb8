using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels;

/// <summary>How a model is served. Immutable.</summary>
public sealed record LanguageModelOptions
{
    /// <summary>Most requests that wait. Default 1,024: thirty-two full steps of 32 sequences, above which a caller is better told than kept.</summary>
    public int MaxQueued { get; init; } = 1024;

    /// <summary>Most of <see cref="MaxQueued"/> that one named caller may hold. Default one half, as the engine's queue has it.</summary>
    public double MaxCallerShare { get; init; } = 0.5;

    /// <summary>Most prompt tokens in one step, so that a long prompt does not stall the others. Default 256; runtimes with a fixed split have their own.</summary>
    public int PrefillTokensPerStep { get; init; } = 256;

    /// <summary>Whether prompts that begin alike share their cache. Default yes: it changes no bits, and a system prompt is computed once. Without effect on runtimes whose bits depend on how a prompt is divided.</summary>
    public bool ReusePrefixes { get; init; } = true;

    /// <summary>
    /// Whether the prompts of different callers share, too. Default yes. Whoever can send prompts and measure the time to the
    /// first token, or reads the number of cached tokens, can then find out whether somebody lately sent a prompt that begins
    /// with a given text, page by page: switch it off where prompts hold secrets that can be guessed.
    /// </summary>
    public bool SharePrefixesAcrossCallers { get; init; } = true;

    public CommitmentOptions Commitments { get; init; } = new();

    /// <summary>Null when every option can be kept, otherwise what is wrong with the first that cannot.</summary>
    internal string? Error()
    {
        if (MaxQueued < 1) return $"{nameof(MaxQueued)} is {MaxQueued}; it is at least 1";
        if (!(MaxCallerShare > 0 && MaxCallerShare <= 1)) return $"{nameof(MaxCallerShare)} is {MaxCallerShare}; it is above 0 and at most 1";
        if (PrefillTokensPerStep < 1) return $"{nameof(PrefillTokensPerStep)} is {PrefillTokensPerStep}; it is at least 1";
        if (Commitments is null) return $"{nameof(Commitments)} is null";
        if (Commitments.EveryTokens < 1) return $"{nameof(CommitmentOptions.EveryTokens)} is {Commitments.EveryTokens}; it is at least 1";
        return Commitments.Every > TimeSpan.Zero ? null : $"{nameof(CommitmentOptions.Every)} is not positive";
    }
}

/// <summary>When heads are signed.</summary>
public sealed record CommitmentOptions
{
    /// <summary>While streaming, a head after so many tokens. Default 64: a signature per second or so of one stream.</summary>
    public int EveryTokens { get; init; } = 64;

    /// <summary>While streaming, a head at least so often. Default one second.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>What a served model needs of the house.</summary>
public sealed record LanguageModelServices
{
    /// <summary>Null: answers without receipts.</summary>
    public IBatchSealer? Sealer { get; init; }

    public ISealedBatchSink? Sink { get; init; }

    public IAdmissionGate? Gate { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
