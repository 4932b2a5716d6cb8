namespace OpenGradient.Engine;

/// <summary>What happens to a request whose <see cref="QueuePolicy.DefaultTimeout"/> is over.</summary>
public enum QueueTimeoutAction
{
    /// <summary>It ends with <see cref="InferenceFailureKind.DeadlineExceeded"/>.</summary>
    Reject,

    /// <summary>It goes on waiting at the end of the next lower priority; when its time there is over too, it is rejected.</summary>
    Downgrade,
}

/// <summary>Limits of one priority's queue. Immutable.</summary>
public sealed record QueuePolicy
{
    /// <summary>Most requests of this priority that wait. Default null: <see cref="ModelOptions.MaxQueuedRequests"/> alone bounds them. Downgraded requests count where they went, and are let in.</summary>
    public int? MaxQueuedRequests { get; init; }

    /// <summary>How long a request that gives no <see cref="InferenceRequest.Timeout"/> may wait at this priority. Default null: without limit.</summary>
    public TimeSpan? DefaultTimeout { get; init; }

    /// <summary>Default reject. A request's own timeout is its caller's last word and always rejects.</summary>
    public QueueTimeoutAction OnTimeout { get; init; } = QueueTimeoutAction.Reject;
}

/// <summary>A model's queue policies by priority; null for none, which is the default. Immutable.</summary>
public sealed record QueuePolicies
{
    public QueuePolicy? High { get; init; }

    public QueuePolicy? Normal { get; init; }

    public QueuePolicy? Low { get; init; }

    /// <summary>The policy of a priority, null when it has none.</summary>
    public QueuePolicy? Of(RequestPriority priority) => priority switch
    {
        RequestPriority.High => High,
        RequestPriority.Normal => Normal,
        _ => Low,
    };

    /// <summary>Null when every policy can be kept, otherwise what is wrong with the first that cannot.</summary>
    internal string? Error()
    {
        foreach (var priority in Enum.GetValues<RequestPriority>())
        {
            if (Of(priority) is not { } policy) continue;
            var name = $"{nameof(QueuePolicies)}.{priority}";
            if (policy.MaxQueuedRequests < 1) return $"{name}.{nameof(policy.MaxQueuedRequests)} must be positive";
            if (policy.DefaultTimeout <= TimeSpan.Zero) return $"{name}.{nameof(policy.DefaultTimeout)} must be positive";
            if (policy.OnTimeout == QueueTimeoutAction.Reject) continue;
            if (policy.OnTimeout != QueueTimeoutAction.Downgrade) return $"{name}.{nameof(policy.OnTimeout)} is neither {nameof(QueueTimeoutAction.Reject)} nor {nameof(QueueTimeoutAction.Downgrade)}";
            if (policy.DefaultTimeout is null) return $"{name}.{nameof(policy.OnTimeout)} needs a {nameof(policy.DefaultTimeout)}";
            if (priority == RequestPriority.Low) return $"{name}.{nameof(policy.OnTimeout)}: there is no lower priority to go to";
        }

        return null;
    }
}
