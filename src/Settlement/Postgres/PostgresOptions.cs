namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>How patient this process is with its database. Immutable.</summary>
public sealed record PostgresOptions
{
    /// <summary>How long a lease lasts without being renewed. 5 s: a killed holder is replaced within seconds, and a stall shorter than that changes nothing. Renewed at a third of it.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the journal is read where no notification came. 250 ms: notifications are the rule; this is what a lost one costs.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long one statement may take, waiting for a lock included. 10 s: many times a slow disk's sync; past it the connection is given up and the group is tried again.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an interruption lasts before new batches are refused instead of queued. 5 s: a restart or a failover passes unnoticed by callers.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits for a database that is away. 5 s: what is queued are promises, and a stop must end.</summary>
    public TimeSpan DrainLimit { get; init; } = TimeSpan.FromSeconds(5);

    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Lease, TimeSpan.FromMilliseconds(100));
        ArgumentOutOfRangeException.ThrowIfLessThan(PollInterval, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(StatementTimeout, TimeSpan.FromMilliseconds(100));
        ArgumentOutOfRangeException.ThrowIfLessThan(Patience, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(DrainLimit, TimeSpan.Zero);
    }
}
