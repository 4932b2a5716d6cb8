namespace OpenGradient.Engine.Serving.Scheduling;

/// <summary>One caller's requests of one priority, in order of arrival, and its place in the priority's round. Not thread-safe.</summary>
internal sealed class CallerQueue(WaitingCaller caller)
{
    private QueueEntry? _last;

    public WaitingCaller Caller { get; } = caller;

    public QueueEntry? First { get; private set; }

    /// <summary>Requests that count here, those on their way included.</summary>
    public int Requests { get; private set; }

    public long Rows { get; private set; }

    /// <summary>Rows that it may have taken now. Negative after it filled up batches whose shape was its own.</summary>
    public long Credit { get; set; }

    // Links of the priority's round, null while nothing is linked here.
    public CallerQueue? NextInRound { get; set; }

    public CallerQueue? PreviousInRound { get; set; }

    public void Count(QueueEntry entry)
    {
        entry.Queue = this;
        Requests++;
        Rows += entry.Rows;
    }

    public void Uncount(QueueEntry entry)
    {
        entry.Queue = null;
        Requests--;
        Rows -= entry.Rows;
    }

    public void Append(QueueEntry entry)
    {
        entry.IsLinked = true;
        entry.Before = _last;
        if (_last is null) First = entry;
        else _last.Behind = entry;
        _last = entry;
    }

    public void Prepend(QueueEntry entry)
    {
        entry.IsLinked = true;
        entry.Behind = First;
        if (First is null) _last = entry;
        else First.Before = entry;
        First = entry;
    }

    public void Unlink(QueueEntry entry)
    {
        if (entry.Before is null) First = entry.Behind;
        else entry.Before.Behind = entry.Behind;
        if (entry.Behind is null) _last = entry.Before;
        else entry.Behind.Before = entry.Before;
        entry.Before = entry.Behind = null;
        entry.IsLinked = false;
    }
}

/// <summary>A caller of whom something waits: one queue per priority. Kept for the next caller when nothing does. Not thread-safe.</summary>
internal sealed class WaitingCaller
{
    private readonly CallerQueue[] _queues;

    public WaitingCaller(int priorities)
    {
        _queues = new CallerQueue[priorities];
        for (var i = 0; i < priorities; i++) _queues[i] = new CallerQueue(this);
    }

    /// <summary>Null for the anonymous caller, and while it stands for nobody.</summary>
    public string? Name { get; set; }

    /// <summary>Requests of all priorities.</summary>
    public int Requests { get; set; }

    public CallerQueue Of(RequestPriority priority) => _queues[(int)priority];
}
