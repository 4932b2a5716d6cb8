using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// Acknowledged data is missing or changed. The outbox refuses to open: going on would silently lose what was promised.
/// </summary>
public sealed class OutboxDamagedException : Exception
{
    public OutboxDamagedException(RecordPosition position, string what)
        : base($"outbox, {position}: {what}. Nothing was changed; restore the folder from a copy.") => Position = position;

    public OutboxDamagedException(string message) : base(message) { }

    public OutboxDamagedException() { }

    public OutboxDamagedException(string message, Exception innerException) : base(message, innerException) { }

    private OutboxDamagedException(string message, RecordPosition position) : base(message) => Position = position;

    /// <summary>Of a journal that a database keeps.</summary>
    internal static OutboxDamagedException InDatabase(Hash256 logId, long seq, RecordPosition position, string what) =>
        new($"outbox, log {logId}, record {seq}: {what}. Nothing was changed; restore the database from a copy.", position);

    public RecordPosition Position { get; }
}

/// <summary>The database that keeps the outbox does not answer now; what was acknowledged is safe.</summary>
public sealed class OutboxUnavailableException : IOException
{
    public OutboxUnavailableException(string message, Exception innerException) : base(message, innerException) { }

    public OutboxUnavailableException() { }

    public OutboxUnavailableException(string message) : base(message) { }
}

/// <summary>Another process works in this folder, or writes this log.</summary>
public sealed class OutboxLockedException : Exception
{
    public OutboxLockedException(string folder) : base($"another process holds {folder}: two writers would tear the journal apart. Stop it, or choose another data folder.") { }

    public OutboxLockedException() { }

    public OutboxLockedException(string message, Exception innerException) : base(message, innerException) { }
}
