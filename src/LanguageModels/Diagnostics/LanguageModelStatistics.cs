using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.LanguageModels;

/// <summary>What a model has done since it was started, at one moment. Immutable.</summary>
public sealed record LanguageModelStatistics
{
    /// <summary>Requests that wait for a slot now.</summary>
    public int Waiting { get; init; }

    /// <summary>Sequences that have a slot now.</summary>
    public int Running { get; init; }

    /// <summary>Sequences whose cache was taken away and that wait to go on.</summary>
    public int Preempted { get; init; }

    /// <summary>Answers that ended, by why.</summary>
    public IReadOnlyDictionary<FinishReason, long> Finished { get; init; } = System.Collections.Frozen.FrozenDictionary<FinishReason, long>.Empty;

    /// <summary>Requests that were not admitted.</summary>
    public long Refused { get; init; }

    /// <summary>Tokens of prompts whose sequences were begun, cached ones included.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Of these, those that were found in the cache.</summary>
    public long CachedPromptTokens { get; init; }

    /// <summary>Tokens that were chosen.</summary>
    public long CompletionTokens { get; init; }

    /// <summary>Tokens that the runtime computed: prompts, answers, and what was computed again.</summary>
    public long ComputedTokens { get; init; }

    /// <summary>Calls of the runtime for answers.</summary>
    public long Steps { get; init; }

    /// <summary>Calls of the runtime that failed.</summary>
    public long FailedSteps { get; init; }

    public long Preemptions { get; init; }

    public long Embeddings { get; init; }

    public long Replays { get; init; }

    /// <summary>Heads that were signed.</summary>
    public long Heads { get; init; }

    /// <summary>Statements over heads; one covers all that were due in a step.</summary>
    public long Statements { get; init; }

    /// <summary>Statements that the sink did not take.</summary>
    public long RefusedBySink { get; init; }

    /// <summary>Pages that exist.</summary>
    public int Pages { get; init; }

    /// <summary>Pages that sequences hold now.</summary>
    public int PagesHeld { get; init; }

    /// <summary>Pages that nobody holds and that prompts which begin alike may find.</summary>
    public int PagesCached { get; init; }

    /// <summary>From admission to the first token.</summary>
    public LatencyDistribution FirstToken { get; init; } = LatencyDistributionEmpty;

    /// <summary>From one token of an answer to its next.</summary>
    public LatencyDistribution InterToken { get; init; } = LatencyDistributionEmpty;

    /// <summary>From admission until a slot was there.</summary>
    public LatencyDistribution Queued { get; init; } = LatencyDistributionEmpty;

    /// <summary>One step: the runtime's call, sampling and sealing.</summary>
    public LatencyDistribution StepTime { get; init; } = LatencyDistributionEmpty;

    private static LatencyDistribution LatencyDistributionEmpty { get; } = new(new long[LatencyDistribution.Edges.Count + 1], 0, 0);
}
