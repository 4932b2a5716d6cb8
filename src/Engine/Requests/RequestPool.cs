using System.Collections.Concurrent;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine;

/// <summary>Finished requests of one model for the next callers. Bounded: what does not fit is left to the garbage collector.</summary>
internal sealed class RequestPool(ModelLane lane, int capacity)
{
    private readonly ConcurrentQueue<PendingRequest> _free = new();
    // The one returned last, if it was not taken since: a lone caller gets it again, warm in its core's cache, whereas the queue
    // would lead it through all that the busiest moment left behind.
    private PendingRequest? _last;
    private int _count;

    // Made and not left to the garbage collector by the pool.
    private int _made;

    /// <summary>Requests rented and not yet returned: waiting, executing, or with their caller. Those that a caller lost stay in it.</summary>
    public int Outstanding => Volatile.Read(ref _made) - Volatile.Read(ref _count);

    public PendingRequest Rent()
    {
        var request = Volatile.Read(ref _last) is null ? null : Interlocked.Exchange(ref _last, null);
        if (request is null && !_free.TryDequeue(out request))
        {
            Interlocked.Increment(ref _made);
            return new PendingRequest(lane);
        }

        Interlocked.Decrement(ref _count);
        return request;
    }

    public void Return(PendingRequest request)
    {
        if (Interlocked.Increment(ref _count) <= capacity)
        {
            if (Volatile.Read(ref _last) is not null || Interlocked.CompareExchange(ref _last, request, null) is not null) _free.Enqueue(request);
            return;
        }

        Interlocked.Decrement(ref _made);
        Interlocked.Decrement(ref _count);
    }
}
