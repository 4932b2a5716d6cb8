using System.Collections.Concurrent;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine;

/// <summary>Finished requests of one model for the next callers. Bounded: what does not fit is left to the garbage collector.</summary>
internal sealed class RequestPool(ModelLane lane, int capacity)
{
    private readonly ConcurrentQueue<PendingRequest> _free = new();
    private int _count;

    // Made and not yet left to the garbage collector.
    private int _made;

    /// <summary>Requests that somebody holds: the queue, a worker, or a caller with its result. Free: what it costs is paid only where a request is made.</summary>
    public int Leased => Volatile.Read(ref _made) - Volatile.Read(ref _count);

    public PendingRequest Rent()
    {
        if (!_free.TryDequeue(out var request))
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
            _free.Enqueue(request);
            return;
        }

        Interlocked.Decrement(ref _count);
        Interlocked.Decrement(ref _made);
    }
}
