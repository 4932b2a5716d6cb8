namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>One record that waits for the writer.</summary>
internal sealed class PendingAppend(byte type, ReadOnlyMemory<byte> payload)
{
    private readonly TaskCompletionSource<AppendOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public byte Type => type;

    public ReadOnlyMemory<byte> Payload => payload;

    public int FrameSize => Frame.SizeOf(payload.Length);

    public Task<AppendOutcome> Done => _done.Task;

    public void Complete(AppendOutcome outcome) => _done.TrySetResult(outcome);
}

/// <summary>The bounded queue in front of the single writer. Any thread adds; the writer takes groups.</summary>
internal sealed class AppendQueue(OutboxOptions options)
{
    // A monitor and not a Lock: the writer sleeps on it.
    private readonly object _gate = new();
    private readonly Queue<PendingAppend> _waiting = new();
    private long _bytes;
    private bool _closed;

    public bool TryAdd(PendingAppend append)
    {
        lock (_gate)
        {
            if (_closed || _waiting.Count >= options.MaxQueuedRecords) return false;
            // A single record always fits an empty queue, so that no legal size waits for ever.
            if (_waiting.Count > 0 && _bytes + append.FrameSize > options.MaxQueuedBytes) return false;
            _waiting.Enqueue(append);
            _bytes += append.FrameSize;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Waits for work and moves the next group into <paramref name="group"/>; false when closed and empty.</summary>
    public bool TakeGroup(List<PendingAppend> group, int maxBytes)
    {
        group.Clear();
        lock (_gate)
        {
            while (true)
            {
                for (var taken = 0; _waiting.TryPeek(out var next) && (group.Count == 0 || taken + next.FrameSize <= maxBytes);)
                {
                    taken += next.FrameSize;
                    _bytes -= next.FrameSize;
                    group.Add(_waiting.Dequeue());
                }

                if (group.Count > 0) return true;
                if (_closed) return false;
                Monitor.Wait(_gate);
            }
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
}
