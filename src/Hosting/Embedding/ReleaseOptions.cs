namespace OpenGradient.Engine.Hosting.Embedding;

/// <summary>When an answer is handed over, and how long that is waited for.</summary>
/// <param name="Policy">What the receipt must have reached.</param>
/// <param name="Timeout">After it the answer is handed over as it stands; null waits as long as the caller's cancellation token allows.</param>
public sealed record ReleaseOptions(ReleasePolicy Policy, TimeSpan? Timeout = null);

/// <summary>How waiting for a release ended. The answer is there in every case.</summary>
public enum ReleaseStatus
{
    /// <summary>The receipt has come as far as was asked.</summary>
    Released,

    /// <summary>The time was over first; the receipt goes on, and <see cref="ProvenAnswer.WaitAsync"/> waits for more.</summary>
    TimedOut,

    /// <summary>A check failed: the receipt will never come that far.</summary>
    Quarantined,

    /// <summary>It could not be stored; its holder can submit it again.</summary>
    NotStored,
}
