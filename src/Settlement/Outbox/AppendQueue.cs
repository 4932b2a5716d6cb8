namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Records that are written under one sync, and where each came to lie. Owned by whoever has the turn.</summary>
internal sealed class AppendGroup
{
    public List<OutboxRecord> Records { get; } = [];

    public List<RecordPosition> Positions { get; } = [];

    public void Clear()
    {
        Records.Clear();
        Positions.Clear();
    }
}

/// <summary>
/// The bounded queue in front of the one who writes. Any thread adds. One at a time has the turn to write: the writer's
/// thread, or a caller that would wait for its record anyway and finds nobody writing.
/// </summary>
internal sealed class AppendQueue(OutboxOptions options)
{
    // A monitor and not a Lock: the writer sleeps on it.
    private readonly object _gate = new();
    private readonly Queue<OutboxRecord> _waiting = new();
    private long _bytes;
    private bool _closed;
    private bool _turnTaken;

    public bool TryAdd(OutboxRecord record)
    {
        lock (_gate)
        {
            if (!Accept(record)) return false;
            if (!_turnTaken) Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Like <see cref="TryAdd"/>, but a caller that finds nobody writing gets the turn: what waits, its own record last, is in <paramref name="group"/> then, as far as it fits.</summary>
    /// <param name="record">What to add.</param>
    /// <param name="group">The caller's to write when the turn is its own; empty otherwise.</param>
    /// <param name="maxBytes">Of the group.</param>
    public bool TryAddOrTakeTurn(OutboxRecord record, AppendGroup group, int maxBytes)
    {
        lock (_gate)
        {
            if (!Accept(record)) return false;
            if (!_turnTaken) Take(group, maxBytes);
            return true;
        }
    }

    /// <summary>Waits for work and the turn, and moves the next group into <paramref name="group"/>; false when closed and empty.</summary>
    public bool TakeTurn(AppendGroup group, int maxBytes)
    {
        lock (_gate)
        {
            while (_turnTaken || _waiting.Count == 0)
            {
                if (_closed && !_turnTaken) return false;
                Monitor.Wait(_gate);
            }

            Take(group, maxBytes);
            return true;
        }
    }

    /// <summary>The group is written: whoever is next may write. True when something waits.</summary>
    public bool EndTurn()
    {
        lock (_gate)
        {
            _turnTaken = false;
            if (_waiting.Count > 0 || _closed) Monitor.Pulse(_gate);
            return _waiting.Count > 0;
        }
    }

    /// <summary>No more is taken in; what waits is still handed out.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    private bool Accept(OutboxRecord record)
    {
        if (_closed || _waiting.Count >= options.MaxQueuedRecords) return false;
        // A single record always fits an empty queue, so that no legal size waits for ever.
        if (_waiting.Count > 0 && _bytes + Cost(record) > options.MaxQueuedBytes) return false;
        _waiting.Enqueue(record);
        _bytes += Cost(record);
        return true;
    }

    private void Take(AppendGroup group, int maxBytes)
    {
        _turnTaken = true;
        for (var taken = 0; _waiting.TryPeek(out var next) && (group.Records.Count == 0 || taken + next.FrameSize <= maxBytes);)
        {
            taken += next.FrameSize;
            _bytes -= Cost(next);
            group.Records.Add(_waiting.Dequeue());
        }
    }

    private static int Cost(OutboxRecord record) => Math.Max(record.FrameSize, record.Held);
}
