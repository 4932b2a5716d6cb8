using System.Threading.Channels;
using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// The requests of one model that wait. They arrive over a bounded channel. While everything that waits is of one class (normal
/// priority without a policy, the anonymous caller), workers read the channel and nothing else; otherwise whoever takes the next
/// request first sorts what has arrived into the scheduler, under its lock.
/// </summary>
internal sealed class LaneQueue
{
    // Abandoned requests stay in the channel until a worker meets them, hence room for as many again.
    private const int ChannelSlack = 2;

    private readonly ModelOptions _options;
    private readonly Channel<PendingRequest> _arrivals;
    private readonly RequestScheduler _scheduler;
    private readonly int _callerLimit;
    private readonly Lock _gate = new();

    // Requests in the scheduler, and the one that is on its way there from the channel: read without the lock.
    private int _sorted;

    // Requests in the channel, or just about to be, that the scheduler has to sort.
    private int _toSort;

    public LaneQueue(ModelOptions options)
    {
        _options = options;
        _arrivals = Channel.CreateBounded<PendingRequest>(new BoundedChannelOptions(options.MaxQueuedRequests * ChannelSlack));
        _callerLimit = Math.Max(1, (int)(options.MaxQueuedRequests * options.MaxCallerShare));
        int[] limits = [.. Enum.GetValues<RequestPriority>().Select(priority => PolicyOf(priority)?.MaxQueuedRequests ?? int.MaxValue)];
        _scheduler = new RequestScheduler(limits, _callerLimit);
    }

    /// <summary>Whether a worker would find something. Never false while something waits that no worker has in hand.</summary>
    // The order matters: sorting raises the second before it takes from the first.
    public bool HasWaiting => _arrivals.Reader.Count > 0 || Volatile.Read(ref _sorted) > 0;

    public QueuePolicy? PolicyOf(RequestPriority priority) => _options.QueuePolicies?.Of(priority);

    /// <summary>Says which class a request is of. Before everything else that is asked about it here.</summary>
    public void Classify(PendingRequest request, RequestPriority priority, string? caller)
    {
        request.Priority = priority;
        request.IsToSort = caller is not null || priority != RequestPriority.Normal || PolicyOf(priority) is not null;
    }

    /// <summary>Counts a request that is being admitted. Null, or what is full.</summary>
    public string? TryEnter(PendingRequest request, string? caller)
    {
        if (!request.IsToSort) return null;
        Refusal refusal;
        lock (_gate) refusal = _scheduler.TryCount(request, caller);
        return refusal switch
        {
            Refusal.None => null,
            Refusal.CallerFull => $"{_callerLimit} requests of caller '{Quoted(caller!)}'",
            _ => $"{PolicyOf(request.Priority)!.MaxQueuedRequests} requests of {Name(request.Priority)} priority",
        };
    }

    /// <summary>False when the channel is closed, or full of abandoned requests.</summary>
    public bool TryWrite(PendingRequest request)
    {
        if (!request.IsToSort) return _arrivals.Writer.TryWrite(request);
        Interlocked.Increment(ref _toSort);
        if (_arrivals.Writer.TryWrite(request)) return true;
        Interlocked.Decrement(ref _toSort);
        return false;
    }

    /// <summary>Takes the next request that fits the batch.</summary>
    public Take TryTake(IBatchFit batch, out PendingRequest next)
    {
        if (Volatile.Read(ref _sorted) > 0 || Volatile.Read(ref _toSort) > 0) return TakeSorted(batch, out next);
        if (!_arrivals.Reader.TryRead(out next!)) return Take.Empty;
        // It came after the look: served as if it had come before everything that it would have to be sorted among.
        if (next.IsToSort) Pass(next);
        var fit = batch.Check(next);
        if (fit == Fit.Yes) return Take.Taken;
        PutBack(next);
        return fit == Fit.TooManyRows ? Take.TooManyRows : Take.OtherShape;
    }

    /// <summary>A request ended without being taken: its place is free at once.</summary>
    public void Leave(PendingRequest request)
    {
        bool wasLinked;
        lock (_gate)
        {
            wasLinked = _scheduler.Remove(request);
            Volatile.Write(ref _sorted, _scheduler.Linked);
        }

        // Otherwise whoever takes it from the channel, or has taken it, lets it go.
        if (wasLinked) request.LetGo();
    }

    /// <summary>Moves a request to the end of the next lower priority. False when it no longer waits.</summary>
    public bool TryDowngrade(PendingRequest request)
    {
        lock (_gate)
        {
            // So that it goes behind what arrived before its time was over.
            SortArrivals();
            return _scheduler.TryDowngrade(request);
        }
    }

    /// <summary>The least work before a request that has not entered yet, in rows or in requests.</summary>
    /// <param name="waiting">What waits in all, without this request.</param>
    public long WorkBefore(PendingRequest request, string? caller, long waiting, bool inRows)
    {
        if (!request.IsToSort && Volatile.Read(ref _sorted) == 0 && Volatile.Read(ref _toSort) == 0) return waiting;
        lock (_gate)
        {
            var uncounted = Math.Max(0, waiting - (inRows ? _scheduler.Rows : _scheduler.Requests));
            return _scheduler.WorkBefore(request.Priority, caller, inRows ? request.Rows : 1, uncounted, inRows);
        }
    }

    public void Complete() => _arrivals.Writer.TryComplete();

    private Take TakeSorted(IBatchFit batch, out PendingRequest next)
    {
        lock (_gate)
        {
            SortArrivals();
            var take = _scheduler.TryTake(batch, out var entry);
            Volatile.Write(ref _sorted, _scheduler.Linked);
            next = (entry as PendingRequest)!;
            return take;
        }
    }

    private void SortArrivals()
    {
        for (var arrived = _arrivals.Reader.Count; arrived > 0; arrived--)
        {
            // Raised before the channel's count falls: a worker that parks sees the request in one of the two.
            Volatile.Write(ref _sorted, _scheduler.Linked + 1);
            if (!_arrivals.Reader.TryRead(out var request)) break;
            Sort(request);
        }

        Volatile.Write(ref _sorted, _scheduler.Linked);
    }

    private void Sort(PendingRequest request)
    {
        if (request.IsToSort) Interlocked.Decrement(ref _toSort);
        // Whoever abandons it later than here finds it linked.
        if (request.IsAbandoned) request.LetGo();
        else _scheduler.Add(request);
    }

    private void Pass(PendingRequest request)
    {
        Interlocked.Decrement(ref _toSort);
        lock (_gate) _scheduler.Remove(request);
    }

    private void PutBack(PendingRequest request)
    {
        lock (_gate)
        {
            if (request.IsAbandoned) request.LetGo();
            else _scheduler.PutBack(request);
            Volatile.Write(ref _sorted, _scheduler.Linked);
        }
    }

    private static string Name(RequestPriority priority) => priority switch
    {
        RequestPriority.High => "high",
        RequestPriority.Normal => "normal",
        _ => "low",
    };

    private static string Quoted(string caller) => caller.Length > 64 ? caller[..64] : caller;
}
