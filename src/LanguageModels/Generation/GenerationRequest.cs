using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>One prompt to continue. Immutable.</summary>
public sealed record GenerationRequest
{
    /// <summary>Token ids, at least one; prompt and answer together fit the model's context.</summary>
    public required ReadOnlyMemory<int> Prompt { get; init; }

    /// <summary>Most tokens to generate, at least 1. Null: what the context leaves.</summary>
    public int? MaxTokens { get; init; }

    public SamplingParameters Sampling { get; init; } = new();

    /// <summary>Texts that end the answer and are not part of it; at most 16 of at most 256 characters, none empty.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Whether an end-of-sequence token is not to end the answer. Default no.</summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>Restricts the answer; null for none.</summary>
    public ITokenConstraintSource? Constraint { get; init; }

    /// <summary>Who asks: callers take turns. Null is the anonymous caller.</summary>
    public string? Caller { get; init; }

    public RequestPriority Priority { get; init; } = RequestPriority.Normal;

    /// <summary>Most time for the whole answer, waiting included. When it is over the answer ends where it is, as if it were cancelled, with <see cref="GenerationError.DeadlineExceeded"/>. Null: no limit but the caller's patience.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether to commit parts while the answer is written (<see cref="CommitmentOptions"/>). Default yes when it is streamed, since only then can it be cut.</summary>
    public bool IsStreamed { get; init; }
}
