using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>Why an answer ended. The numbers are committed (docs/formats.md, "Generation row").</summary>
public enum FinishReason : byte
{
    /// <summary>Not ended: the head of a part.</summary>
    None = 0,

    /// <summary>The model's end-of-sequence token.</summary>
    EndOfSequence = 1,

    /// <summary>One of the request's stop texts.</summary>
    StopText = 2,

    /// <summary>The request's or the context's limit.</summary>
    Length = 3,

    /// <summary>The constraint was complete.</summary>
    Constraint = 4,

    /// <summary>The caller went away or cancelled.</summary>
    Cancelled = 5,

    /// <summary>The runtime or the constraint failed; see <see cref="GenerationResult.Failure"/>.</summary>
    Failed = 6,
}

/// <summary>What was wrong. A closed set: HTTP and C# map it, nobody parses texts.</summary>
public enum GenerationError
{
    /// <summary>Empty, or a token id outside the vocabulary.</summary>
    InvalidPrompt,

    /// <summary>Prompt and answer do not fit the model's context.</summary>
    ContextExceeded,

    /// <summary>A sampling parameter, stop text or limit outside its range; the message names it.</summary>
    InvalidParameter,

    /// <summary>The queue is full; another try may succeed after <see cref="GenerationFailure.RetryAfter"/>.</summary>
    QueueFull,

    /// <summary>The answer can never fit the cache's memory.</summary>
    CacheTooSmall,

    /// <summary>The operator's bound on the open trust gap is reached.</summary>
    TrustGapExceeded,

    /// <summary>The schema cannot be satisfied.</summary>
    ConstraintUnsatisfiable,

    /// <summary>The host is stopping or the model is being unloaded.</summary>
    Stopping,

    /// <summary>The runtime failed.</summary>
    Runtime,

    /// <summary>No receipt could be signed, so there is no answer.</summary>
    Sealing,

    /// <summary>The request's own <see cref="GenerationRequest.Timeout"/> was over.</summary>
    DeadlineExceeded,
}

/// <param name="Message">A sentence that names what was wrong, fit for remote callers.</param>
/// <param name="RetryAfter">How long to wait before another try; null where none would help.</param>
public sealed record GenerationFailure(GenerationError Error, string Message, TimeSpan? RetryAfter = null);

/// <summary>A signed head over an answer so far: one row of a sealed batch (docs/formats.md, "Generation row").</summary>
/// <param name="Tokens">How many of the answer's tokens it commits to.</param>
/// <param name="IsHandedOver">Whether settlement took the statement; otherwise the receipt is a promise that its holder can resubmit.</param>
public sealed record GenerationHead(SealedBatch Batch, int Row, int Tokens, FinishReason Finish, bool IsHandedOver)
{
    public ReceiptId ReceiptId => Batch.ReceiptId(Row);

    public Receipt Receipt => Batch.Receipt(Row);
}

/// <summary>The log-probabilities of one position.</summary>
/// <param name="Top">The most probable tokens, most probable first; the chosen one need not be among them.</param>
public sealed record TokenLogprobs(int Token, float Logprob, IReadOnlyList<(int Token, float Logprob)> Top);

/// <summary>What became of a generation since the part before.</summary>
/// <param name="Text">Whole characters only; may be empty. Stop texts are held back until they are certain not to be one.</param>
/// <param name="Head">Set when a head was signed at the end of this part.</param>
public sealed record GenerationPart(IReadOnlyList<int> Tokens, string Text, IReadOnlyList<TokenLogprobs> Logprobs, GenerationHead? Head);

/// <param name="CachedPromptTokens">Of the prompt's tokens, those whose keys and values were found in the cache.</param>
public sealed record GenerationUsage(int PromptTokens, int CachedPromptTokens, int CompletionTokens);

/// <summary>A whole answer.</summary>
/// <param name="Tokens">Every token that was chosen, the end-of-sequence token or a stop text's included.</param>
/// <param name="Text">Without end-of-sequence token and stop text.</param>
/// <param name="Heads">Signed heads in order; the last one commits to the whole answer. Empty without a sealer.</param>
/// <param name="StopText">Which stop text ended it.</param>
public sealed record GenerationResult(
    IReadOnlyList<int> Tokens,
    string Text,
    FinishReason Finish,
    IReadOnlyList<TokenLogprobs> Logprobs,
    GenerationUsage Usage,
    GenerationTimes Times,
    IReadOnlyList<GenerationHead> Heads,
    ulong Seed,
    string? StopText = null,
    GenerationFailure? Failure = null)
{
    /// <summary>What was in effect and is committed; whoever wants to replay the answer needs it (<see cref="GenerationParameters.Encode"/>).</summary>
    public GenerationParameters? Parameters { get; init; }
}

/// <summary>By the host's monotonic clock, from admission.</summary>
/// <param name="Preemptions">How often the cache was taken away and computed again.</param>
public sealed record GenerationTimes(TimeSpan Queued, TimeSpan FirstToken, TimeSpan Total, int Preemptions);
