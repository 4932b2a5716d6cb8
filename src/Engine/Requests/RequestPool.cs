using System.Collections.Concurrent;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine;

/// <summary>Finished requests of one model for the next callers. Bounded: what does not fit is left to the garbage collector.</summary>
internal sealed class RequestPool(ModelLane lane, int capacity)
{
    private readonly ConcurrentQueue<PendingRequest> _free = new();
    private int _count;

    public PendingRequest Rent()
    {
        if (!_free.TryDequeue(out var request)) return new PendingRequest(lane);
        Interlocked.Decrement(ref _count);
        return request;
    }

    public void Return(PendingRequest request)
    {
        if (Interlocked.Increment(ref _count) <= capacity) _free.Enqueue(request);
        else Interlocked.Decrement(ref _count);
    }
}
