namespace OpenGradient.Engine.Serving;

/// <summary>One batch in clock ticks, as its worker writes it down.</summary>
internal struct BatchEntry
{
    public int Requests, Rows, PaddedRows;
    public BatchSizeReason Reason;
    public long Started, OldestQueued, Gather, Execute, Seal, Scatter;
    public bool Succeeded;
}

/// <summary>The last batches of one worker, oldest overwritten. Written by it once per batch, without allocating; read by anyone.</summary>
internal sealed class BatchLog(int worker)
{
    // Together with the other workers' some seconds of a slow model and a blink of a fast one: enough to see a pattern, and
    // 12 KiB per worker.
    private const int Capacity = 128;

    private readonly Lock _gate = new();
    private readonly BatchEntry[] _entries = new BatchEntry[Capacity];
    private long _written;

    public void Add(in BatchEntry entry)
    {
        lock (_gate) _entries[_written++ % Capacity] = entry;
    }

    /// <summary>Adds this worker's batches to a list.</summary>
    public void CopyTo(List<BatchRecord> records, TimeProvider time)
    {
        lock (_gate)
        {
            var (utc, now) = (time.GetUtcNow(), time.GetTimestamp());
            for (var i = Math.Max(0, _written - Capacity); i < _written; i++) records.Add(Record(_entries[i % Capacity], utc, now, time));
        }
    }

    private BatchRecord Record(in BatchEntry entry, DateTimeOffset utc, long now, TimeProvider time) => new()
    {
        Requests = entry.Requests,
        Rows = entry.Rows,
        PaddedRows = entry.PaddedRows,
        Reason = entry.Reason,
        Started = utc - time.GetElapsedTime(entry.Started, now),
        OldestQueued = time.GetElapsedTime(0, entry.OldestQueued),
        Gather = time.GetElapsedTime(0, entry.Gather),
        Execute = time.GetElapsedTime(0, entry.Execute),
        Seal = time.GetElapsedTime(0, entry.Seal),
        Scatter = time.GetElapsedTime(0, entry.Scatter),
        Worker = worker,
        Succeeded = entry.Succeeded,
    };
}
