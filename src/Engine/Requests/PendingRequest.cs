using System.Threading.Tasks.Sources;
using OpenGradient.Engine.Diagnostics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Serving;
using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine;

/// <summary>
/// One admitted request, pooled per model: what was lent, the caller's awaiter, and afterwards the outputs. Owners in turn:
/// the admitting thread; the queue; the worker that claims it, or the thread that abandons it (cancellation, deadline, drain),
/// decided by one compare-and-swap; the caller until it disposes the result.
/// </summary>
internal sealed class PendingRequest : QueueEntry, IValueTaskSource<InferenceOutcome>, IValueTaskSource<InferenceResult>, IThreadPoolWorkItem
{
    private const int Queued = 0, Claimed = 1, Abandoned = 2;

    private readonly OutputStore _outputs;

    // Continuations run where Signal is called: workers never call it, only CompletionBatch and the pool do, and a caller that
    // executed its own request, before anything can have been registered.
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _cancellation;
    private int _state;

    // Of an abandoned request: set by the first of queue and caller to let go; the second returns it to the pool.
    private int _letGo;
    private int _lease;

    public PendingRequest(ModelLane lane)
    {
        Lane = lane;
        Sources = new TensorSource[lane.Info.Inputs.Count];
        Dimensions = new long[lane.Info.Inputs.Sum(spec => spec.Rank)];
        _outputs = new OutputStore(lane.Info.Outputs.Count);
    }

    public ModelLane Lane { get; }

    /// <summary>Lent bytes by the model's input position.</summary>
    public TensorSource[] Sources { get; }

    /// <summary>All dimensions of all inputs, one after the other.</summary>
    public long[] Dimensions { get; }

    public long Bytes { get; set; }

    public Hash256 ParameterDigest { get; set; }

    /// <summary>Timestamp of the injected clock, <see cref="long.MaxValue"/> for none.</summary>
    public long Deadline { get; set; }

    /// <summary>Whether it goes to the next lower priority at its deadline, rather than end.</summary>
    public bool Downgrades { get; set; }

    /// <summary>Whether the scheduler must place it: it has a priority, a caller or a policy.</summary>
    public bool IsToSort { get; set; }

    public long AdmittedAt { get; set; }

    public InferenceFailure? Failure { get; set; }

    public SealedBatch? Batch { get; set; }

    public int RowIndex { get; set; }

    public bool IsHandedOver { get; set; }

    public int BatchRows { get; set; }

    public int FirstSlot { get; set; }

    /// <summary>Null when nobody wants this request's span.</summary>
    public RequestTrace? Trace { get; set; }

    // Links of the lane's deadline list, guarded by its lock.
    public PendingRequest? Previous { get; set; }

    public PendingRequest? Next { get; set; }

    public short Token => _core.Version;

    public ReadOnlySpan<long> OutputShape(int index) => _outputs.Shape(index);

    public ReadOnlySpan<byte> OutputBytes(int index) => _outputs.Bytes(index);

    public OutputStore Outputs => _outputs;

    public void WatchCancellation(CancellationToken token)
    {
        if (token.CanBeCanceled)
            _cancellation = token.UnsafeRegister(static state => ((PendingRequest)state!).TryAbandon(Failures.Cancelled), this);
    }

    /// <summary>The worker's claim: afterwards neither cancellation nor deadline reaches the request.</summary>
    public bool TryClaim() => Interlocked.CompareExchange(ref _state, Claimed, Queued) == Queued;

    /// <summary>Claims a request that was never queued and has no cancellation to race with.</summary>
    public void ClaimAlone() => _state = Claimed;

    /// <summary>Ends a request that no worker has claimed. The caller is answered from the thread pool.</summary>
    public bool TryAbandon(InferenceFailure failure)
    {
        if (Interlocked.CompareExchange(ref _state, Abandoned, Queued) != Queued) return false;
        Failure = failure;
        Lane.OnAbandoned(this);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    public bool IsAbandoned => Volatile.Read(ref _state) == Abandoned;

    void IThreadPoolWorkItem.Execute() => Signal();

    /// <summary>Completes the caller, whose continuation runs inside this call.</summary>
    public void Signal()
    {
        EndTrace();
        _core.SetResult(true);
    }

    public void EndTrace()
    {
        if (Trace is not { } trace) return;
        Trace = null;
        trace.End(this);
    }

    /// <summary>The queue met an abandoned request and forgets it.</summary>
    public void LetGo()
    {
        if (Interlocked.Exchange(ref _letGo, 1) != 0) Recycle();
    }

    /// <summary>Back to the pool without ever having been queued.</summary>
    public void Discard()
    {
        _cancellation.Dispose();
        Recycle();
    }

    public bool IsLeased(int lease) => Volatile.Read(ref _lease) == lease;

    /// <summary>The caller's end of a result. Only the first call with the lease counts.</summary>
    public void Release(int lease)
    {
        if (Interlocked.CompareExchange(ref _lease, lease + 1, lease) == lease) EndOfCaller();
    }

    InferenceOutcome IValueTaskSource<InferenceOutcome>.GetResult(short token) => TakeOutcome(token);

    InferenceResult IValueTaskSource<InferenceResult>.GetResult(short token) => TakeOutcome(token).Result;

    ValueTaskSourceStatus IValueTaskSource<InferenceOutcome>.GetStatus(short token) => _core.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<InferenceResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<InferenceOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<InferenceResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private InferenceOutcome TakeOutcome(short token)
    {
        _core.GetResult(token);
        // Waits for a cancellation callback that is running: it must not reach the request's next life.
        _cancellation.Dispose();
        if (Failure is not { } failure) return new InferenceOutcome(new InferenceResult(this, _lease));
        Release(_lease);
        return new InferenceOutcome(failure);
    }

    private void EndOfCaller()
    {
        if (_state == Claimed || Interlocked.Exchange(ref _letGo, 1) != 0) Recycle();
    }

    private void Recycle()
    {
        Array.Clear(Sources);
        _cancellation = default;
        _letGo = 0;
        _state = Queued;
        Failure = null;
        Batch = null;
        _core.Reset();
        Lane.Pool.Return(this);
    }
}
