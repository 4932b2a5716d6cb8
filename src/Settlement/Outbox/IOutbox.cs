namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// The durable, ordered journal everything behind the fast path is rebuilt from. Safe for concurrent calls. Records are
/// applied to the sink in journal order, on recovery and live alike; where several processes write one journal, each
/// applies the others' records as well. One suite of tests holds for every implementation.
/// </summary>
public interface IOutbox : IDisposable
{
    /// <summary>Null while appends are accepted; otherwise what is wrong, for the operator.</summary>
    AppendOutcome? Trouble { get; }

    /// <summary>Queues a record; the result comes after it is on stable storage and applied. The payload must not change until then.</summary>
    /// <param name="type">What the record says; not zero.</param>
    /// <param name="payload">Its bytes.</param>
    /// <param name="holds">Whether the record still fits everything applied so far; asked by the writer right before it writes, must be short. False: nothing is stored and the outcome is <see cref="AppendStatus.Stale"/>. Null for a record that depends on nothing.</param>
    Task<AppendOutcome> AppendAsync(byte type, ReadOnlyMemory<byte> payload, Func<bool>? holds = null);

    /// <summary>
    /// Like <see cref="AppendAsync"/>, for a caller that awaits it at once: where nobody writes, its own thread may, and is held up until the
    /// record is stored. Whoever has several records in hand uses <see cref="AppendAsync"/>, so that they share a sync.
    /// </summary>
    Task<AppendOutcome> AppendNowAsync(byte type, ReadOnlyMemory<byte> payload, Func<bool>? holds = null) => AppendAsync(type, payload, holds);

    /// <summary>Queues a record that lays itself out later; it is told what becomes of it. False when the bounded queue is full or the outbox has failed: then nothing is stored and the record hears nothing.</summary>
    bool TryAppend(OutboxRecord record);

    /// <summary>Reads a durable record's payload back.</summary>
    byte[] Read(RecordPosition position);
}

/// <summary>Where durable records go. Called by one thread at a time, in journal order.</summary>
public interface IRecordSink
{
    void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload);
}

/// <summary>What an outbox that others write as well tells its owner. Called by the outbox's writer; must be short.</summary>
/// <param name="Changed">Records of other processes were applied.</param>
/// <param name="Interrupted">What keeps the database from answering, by name; null once it answers again.</param>
public sealed record OutboxNews(Action Changed, Action<string?> Interrupted);
