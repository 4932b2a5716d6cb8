namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>The bounded queue in front of the single writer. Any thread adds; the writer takes groups.</summary>
internal sealed class AppendQueue(OutboxOptions options)
{
    // A monitor and not a Lock: the writer sleeps on it.
    private readonly object _gate = new();
    private readonly Queue<OutboxRecord> _waiting = new();
    private long _bytes;
    private bool _closed;
    private bool _nudged;

    /// <summary>More than half of what may wait does.</summary>
    public bool IsHalfFull
    {
        get { lock (_gate) return _waiting.Count > options.MaxQueuedRecords / 2 || _bytes > options.MaxQueuedBytes / 2; }
    }

    public bool IsEmpty
    {
        get { lock (_gate) return _waiting.Count == 0; }
    }

    public bool TryAdd(OutboxRecord record)
    {
        lock (_gate)
        {
            if (_closed || _waiting.Count >= options.MaxQueuedRecords) return false;
            // A single record always fits an empty queue, so that no legal size waits for ever.
            if (_waiting.Count > 0 && _bytes + Cost(record) > options.MaxQueuedBytes) return false;
            _waiting.Enqueue(record);
            _bytes += Cost(record);
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Waits until a record waits; false when closed and empty.</summary>
    public bool WaitForWork()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_closed) return false;
                Monitor.Wait(_gate);
            }

            return true;
        }
    }

    /// <summary>Waits for work and moves the next group into <paramref name="group"/>; false when closed and empty.</summary>
    /// <param name="group">Filled; empty after <paramref name="atMost"/> or a <see cref="Nudge"/> without work.</param>
    /// <param name="maxBytes">Of frames in one group; a single record always goes.</param>
    /// <param name="atMost">How long to wait; null waits for work alone.</param>
    public bool TakeGroup(List<OutboxRecord> group, int maxBytes, TimeSpan? atMost = null)
    {
        group.Clear();
        lock (_gate)
        {
            while (true)
            {
                for (var taken = 0; _waiting.TryPeek(out var next) && (group.Count == 0 || taken + next.FrameSize <= maxBytes);)
                {
                    taken += next.FrameSize;
                    _bytes -= Cost(next);
                    group.Add(_waiting.Dequeue());
                }

                if (group.Count > 0) return true;
                if (_closed) return false;
                if (atMost is null)
                {
                    Monitor.Wait(_gate);
                }
                else if (_nudged || !Monitor.Wait(_gate, atMost.Value))
                {
                    _nudged = false;
                    return true;
                }
            }
        }
    }

    /// <summary>Ends a wait that has a limit: there is something to look at beside the queue.</summary>
    public void Nudge()
    {
        lock (_gate)
        {
            _nudged = true;
            Monitor.Pulse(_gate);
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

    private static int Cost(OutboxRecord record) => Math.Max(record.FrameSize, record.Held);
}
