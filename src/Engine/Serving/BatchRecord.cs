namespace OpenGradient.Engine;

/// <summary>Why a batch was no larger. Closed.</summary>
public enum BatchSizeReason
{
    /// <summary>Nothing else waited.</summary>
    QueueEmpty,

    /// <summary>It has as many rows, or requests, as <see cref="ModelOptions.MaxBatch"/> allows.</summary>
    Full,

    /// <summary>What waited was divided between the workers, so that each has work of about equal size.</summary>
    Share,

    /// <summary>The next request has more rows than were left.</summary>
    NextDidNotFit,

    /// <summary>The next requests' rows have another shape.</summary>
    ShapeChanged,

    /// <summary>The batch waited for more rows as long as <see cref="ModelOptions.MaxQueueDelay"/> allows.</summary>
    DelayElapsed,

    /// <summary>The model takes one request per call.</summary>
    NotBatchable,

    /// <summary>The model is being unloaded, so the batch waited for nothing more.</summary>
    Draining,

    /// <summary>One request of a batch that failed, executed again alone.</summary>
    SplitAfterFailure,

    /// <summary>As many requests as a worker takes at once had run out of time, so it began with what it had.</summary>
    OthersExpired,

    /// <summary>The model was idle: the caller's own thread executed the request at once.</summary>
    Inline,
}

/// <summary>What one backend call did, and why it had its size.</summary>
public readonly record struct BatchRecord
{
    public int Requests { get; init; }

    public int Rows { get; init; }

    /// <summary>Rows executed, padding included; 0 when the call was given up before it began.</summary>
    public int PaddedRows { get; init; }

    public BatchSizeReason Reason { get; init; }

    /// <summary>When gathering began, by the engine's clock.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>How long its oldest request had waited.</summary>
    public TimeSpan OldestQueued { get; init; }

    public TimeSpan Gather { get; init; }

    public TimeSpan Execute { get; init; }

    public TimeSpan Seal { get; init; }

    public TimeSpan Scatter { get; init; }

    /// <summary>Which of the model's workers, from 0.</summary>
    public int Worker { get; init; }

    /// <summary>Whether its requests were answered with results.</summary>
    public bool Succeeded { get; init; }
}
