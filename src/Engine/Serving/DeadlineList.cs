namespace OpenGradient.Engine.Serving;

/// <summary>
/// The waiting requests of one model that have a deadline, swept by a coarse timer that runs only while there are any. Requests
/// without a deadline never come here. Bounded by the queue's limit.
/// </summary>
internal sealed class DeadlineList : IDisposable
{
    // A deadline is a promise to stop waiting, not a stopwatch: 5 ms late is fine, a timer per request is not.
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(5);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private PendingRequest? _first;

    public DeadlineList(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((DeadlineList)state!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(PendingRequest request)
    {
        if (request.Deadline == long.MaxValue) return;
        lock (_gate)
        {
            if (_first is null) _timer.Change(Period, Period);
            else _first.Previous = request;
            request.Next = _first;
            _first = request;
        }
    }

    public void Remove(PendingRequest request)
    {
        if (request.Deadline == long.MaxValue) return;
        lock (_gate)
        {
            Unlink(request);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Unlink(PendingRequest request)
    {
        if (request.Previous is null && _first != request) return;
        if (request.Previous is null) _first = request.Next;
        else request.Previous.Next = request.Next;
        if (request.Next is not null) request.Next.Previous = request.Previous;
        request.Previous = request.Next = null;
        if (_first is null) _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private void End(PendingRequest request, long now)
    {
        if (!request.Downgrades)
        {
            request.TryAbandon(Failures.DeadlineExceeded);
            return;
        }

        // One that no longer waits is being removed from here by whoever took it.
        if (request.Lane.TryDowngrade(request, now) is not { } deadline) return;
        // Remove passes over a request without a deadline, so it must have left before it shows as one. And whoever sees that it
        // does not downgrade any more must see the new deadline.
        if (deadline == long.MaxValue) Unlink(request);
        request.Deadline = deadline;
        request.Downgrades = false;
    }

    private void Sweep()
    {
        var now = _time.GetTimestamp();
        lock (_gate)
        {
            for (var request = _first; request is not null;)
            {
                // Abandoning removes the request from this list, under this same lock.
                var next = request.Next;
                if (request.Deadline <= now) End(request, now);
                request = next;
            }
        }
    }
}
