namespace OpenGradient.Engine.Serving.Scheduling;

/// <summary>Whether a request can join the batch that is being collected.</summary>
internal enum Fit
{
    Yes,

    /// <summary>It has more rows than the batch has left.</summary>
    TooManyRows,

    /// <summary>Its rows have another shape than the batch's.</summary>
    OtherShape,
}

/// <summary>The batch that is being collected. Its first request always fits.</summary>
internal interface IBatchFit
{
    Fit Check(QueueEntry entry);
}

/// <summary>What taking the next request came to.</summary>
internal enum Take
{
    Taken,
    Empty,

    /// <summary>The next in turn has too many rows; it begins the next batch.</summary>
    TooManyRows,

    /// <summary>The next in turn, and the other callers' next, have another shape; it begins the next batch.</summary>
    OtherShape,
}
