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

    /// <summary>Whether prompts that begin alike share their cache. Default yes: it changes no bits.</summary>
    public bool ReusePrefixes { get; init; } = true;

    public CommitmentOptions Commitments { get; init; } = new();
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
