namespace OpenGradient.Engine;

/// <summary>
/// Where a request's time goes, in the order it passes them. Each but <see cref="Queue"/> and <see cref="Total"/> is counted
/// once per backend call, those two once per request.
/// </summary>
public enum ServingStage
{
    /// <summary>From admission until the backend call that it is part of is prepared; a queue delay is in it.</summary>
    Queue,

    /// <summary>Copying the requests' inputs into the batch, padding included.</summary>
    Gather,

    /// <summary>The backend call.</summary>
    Execute,

    /// <summary>Hashing rows and tree, naming the receipts and handing the batch to the sink: all of sealing but the signature.</summary>
    Commit,

    /// <summary>The signature over the statement, as the sealer measured it; zero from one that does not.</summary>
    Sign,

    /// <summary>Copying outputs to the requests.</summary>
    Scatter,

    /// <summary>From admission until the caller is about to be told.</summary>
    Total,
}
