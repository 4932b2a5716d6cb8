using System.Collections.Concurrent;
using OpenGradient.Engine.Determinism;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// Completes the callers of one batch, their continuations running one after the other in one work item. Callers answered
/// together ask again together: measured against a work item per caller (RunContinuationsAsynchronously) with 64 closed-loop
/// callers, batches of a model that does nothing are a third larger (21 to 23 rows, not 17 to 18), while CPU time per request
/// and its spread do not differ by more than the noise of a busy machine. So that a continuation that blocks cannot hold up its
/// neighbours, a second work item is queued before the first continuation runs: an idle pool thread takes over from there.
/// </summary>
internal sealed class CompletionBatch(ConcurrentQueue<CompletionBatch> pool, int capacity) : IThreadPoolWorkItem
{
    private readonly PendingRequest?[] _requests = new PendingRequest?[capacity];
    private int _count;
    private int _cursor;
    private int _runners;

    public int Count => _count;

    /// <summary>Launched when every caller has been completed; null for nothing.</summary>
    public RowRecheck? Afterwards { get; set; }

    public void Add(PendingRequest request) => _requests[_count++] = request;

    /// <summary>Runs the continuations on this pool thread.</summary>
    public void RunHere()
    {
        _runners = 1;
        Continue();
    }

    /// <summary>Runs the continuations on a pool thread.</summary>
    public void RunOnPool()
    {
        _runners = 1;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => Continue();

    private void Continue()
    {
        if (Volatile.Read(ref _cursor) < _count - 1)
        {
            Interlocked.Increment(ref _runners);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        }

        for (int i; (i = Interlocked.Increment(ref _cursor) - 1) < _count;) _requests[i]!.Signal();
        if (Interlocked.Decrement(ref _runners) == 0) Recycle();
    }

    private void Recycle()
    {
        Array.Clear(_requests, 0, _count);
        _count = 0;
        _cursor = 0;
        var afterwards = Afterwards;
        Afterwards = null;
        pool.Enqueue(this);
        afterwards?.Launch();
    }
}
