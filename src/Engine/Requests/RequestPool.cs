using System.Collections.Concurrent;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine;

/// <summary>Finished requests of one model for the next callers. Bounded: what does not fit is left to the garbage collector.</summary>
internal sealed class RequestPool(ModelLane lane, int capacity)
{
    private readonly ConcurrentQueue<PendingRequest> _free = new();
    private int _count;

    // Made and not left to the garbage collector by the pool.
    private int _made;

    /// <summary>Requests rented and not yet returned: waiting, executing, or with their caller. Those that a caller lost stay in it.</summary>
    public int Outstanding => Volatile.Read(ref _made) - Volatile.Read(ref _count);

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

        Interlocked.Decrement(ref _made);
        Interlocked.Decrement(ref _count);
    }
}
