namespace OpenGradient.Engine.Settlement.Outbox;

public enum AppendStatus
{
    /// <summary>On stable storage and applied.</summary>
    Durable,

    /// <summary>The bounded queue is full; nothing was stored. Try again shortly.</summary>
    Busy,

    /// <summary>No space; nothing was stored. Appends work again by themselves when space returns.</summary>
    DiskFull,

    /// <summary>The outbox has failed for good or is closed. Whether the record is stored is known after a restart.</summary>
    Failed,

    /// <summary>The server that keeps the outbox does not answer; nothing was taken in. Appends work again by themselves when it does.</summary>
    Unavailable,

    /// <summary>What the record was made from has changed since; nothing was stored. Look again and decide anew.</summary>
    Stale,

    /// <summary>Another process has taken over; nothing was stored, and nothing will be until this one leads again.</summary>
    Fenced,
}

/// <summary>What became of one append.</summary>
public readonly record struct AppendOutcome(AppendStatus Status, RecordPosition Position, string? Detail)
{
    public bool IsDurable => Status == AppendStatus.Durable;
}
