namespace OpenGradient.Engine;

/// <summary>Why a request has no result. Closed: every request ends in a result or in one of these.</summary>
public enum InferenceFailureKind
{
    /// <summary>No model of that name or version is loaded.</summary>
    UnknownModel,

    /// <summary>The model is being unloaded.</summary>
    ModelNotReady,

    /// <summary>The model's queue holds as many requests or bytes as it may; try again after the advice.</summary>
    QueueFull,

    /// <summary>The request's time ran out before its batch was executed.</summary>
    DeadlineExceeded,

    /// <summary>Refused at once: what waits before the request takes longer than its timeout; try again after the advice.</summary>
    WouldMissDeadline,

    /// <summary>The caller cancelled before the batch was executed.</summary>
    Cancelled,

    /// <summary>A tensor does not fit the model's declaration or the input policy.</summary>
    InvalidInput,

    /// <summary>The backend could not execute this request, alone as well as in its batch.</summary>
    BackendFailed,

    /// <summary>The backend call ran longer than the model's limit and was stopped, or given up when it did not stop.</summary>
    ExecutionTimeout,

    /// <summary>The batch was executed but could not be sealed, so no receipt can be given.</summary>
    SealingFailed,

    /// <summary>Too many receipts are not final yet; try again after the advice.</summary>
    TrustGapExceeded,

    /// <summary>The engine no longer admits requests.</summary>
    ShuttingDown,

    /// <summary>The model refuses requests because of its health; its operator must act.</summary>
    ModelUnavailable,
}

/// <summary>A request's failure.</summary>
/// <param name="Kind">Which of the closed set.</param>
/// <param name="Message">What was wrong, fit for a remote caller.</param>
public sealed record InferenceFailure(InferenceFailureKind Kind, string Message)
{
    /// <summary>When trying again may succeed; null when it will not help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The tensor at fault, null when none is.</summary>
    public string? Tensor { get; init; }

    /// <summary>The backend's own words, for the operator's log only: they can name files and source lines.</summary>
    public string? OperatorDetail { get; init; }
}

/// <summary>What <see cref="InferenceEngine.InferAsync"/> throws: the failure as an exception.</summary>
public sealed class InferenceException : Exception
{
    public InferenceException(InferenceFailure failure) : base(failure.Message) => Failure = failure;

    public InferenceException(string message) : base(message) { }

    public InferenceException() { }

    public InferenceException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>Null only for exceptions that the engine did not make.</summary>
    public InferenceFailure? Failure { get; }
}
