using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// One worker's execution: gather into its own aligned buffers, one backend call, seal, scatter. Every request given to
/// <see cref="Run"/> leaves it with outputs or with a failure. Used by one thread at a time, except
/// <see cref="TerminateIfOverdue"/>.
/// </summary>
internal sealed unsafe class BatchRunner : IDisposable
{
    private static readonly BackendFault OverdueFault = new("terminated", "the call exceeded its limit");

    private readonly ModelLane _lane;
    private readonly ModelInfo _info;
    private readonly ModelShape _shape;
    private readonly BatchLayout _layout;
    private readonly PaddingRule _padding;
    private readonly IBackendExecutor _executor;
    private readonly ExecutionBuffers _buffers;
    private readonly BatchSealing? _sealing;
    private readonly TimeProvider _time;
    private readonly long _limitTicks;

    // Guards the three below: the watchdog must never terminate the call after the one it saw.
    private readonly Lock _runGate = new();
    private long _runningSince;
    private bool _running;
    private bool _terminated;

    public BatchRunner(ModelLane lane, IBackendExecutor executor)
    {
        _lane = lane;
        _info = lane.Info;
        _shape = lane.Shape;
        _layout = new BatchLayout(_shape);
        _padding = new PaddingRule(1, _info.Options.PaddingMultiple);
        _executor = executor;
        _time = lane.Services.Time;
        _limitTicks = (long)(_info.Options.ExecutionTimeout.TotalSeconds * _time.TimestampFrequency);
        _buffers = new ExecutionBuffers(_info.Inputs, _info.Outputs);
        if (lane.Services.Sealer is { } sealer) _sealing = new BatchSealing(_info, sealer, lane.Services.Sink, Counters);
        if (_shape.HasStaticRows)
            for (var i = 0; i < _info.Inputs.Count; i++) _buffers.ReserveInput(i, _info.Inputs[i].StaticRowBytes * _info.Options.MaxBatch);
    }

    public WorkerCounters Counters { get; } = new();

    /// <summary>Executes rows of zeros at the smallest and the largest batch, so that the first caller does not pay for it, and checks the outputs' rows.</summary>
    /// <returns>The time of the slowest call; very long for a model whose sizes are open.</returns>
    public TimeSpan WarmUp()
    {
        if (!_shape.HasStaticRows) return TimeSpan.MaxValue;
        var slowest = TimeSpan.Zero;
        // The second call at a size is the one to time: the first builds tensors and grows the arena.
        foreach (var rows in (int[])[1, _info.Options.MaxBatch, _info.Options.MaxBatch])
        {
            SetShapes(null, rows);
            var start = _time.GetTimestamp();
            // A model may rightly refuse zeros; callers' rows decide.
            if (Call() is not null) return TimeSpan.MaxValue;
            slowest = _time.GetElapsedTime(start);
            if (!_layout.OutputsFollowRows(_buffers)) _lane.StopBatching();
        }

        return slowest;
    }

    public bool HasSameInnerShape(PendingRequest first, PendingRequest other)
    {
        for (var i = 0; i < first.Dimensions.Length; i++)
            if (first.Dimensions[i] != other.Dimensions[i] && Array.IndexOf(_shape.Starts, i) < 0) return false;
        return true;
    }

    /// <summary>Executes the requests as one batch; if the backend fails, each of them alone once, so that one bad row does not fail its neighbours.</summary>
    public void Run(ReadOnlySpan<PendingRequest> requests, int rows)
    {
        Counters.Requests += requests.Length;
        Counters.Rows += rows;
        try
        {
            var failure = TryRun(requests, rows, out var separable);
            if (failure is null) return;
            if (requests.Length == 1 || !separable) Fail(requests, failure);
            else foreach (ref readonly var request in requests) RunAlone(in request);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // A worker that died would leave its callers waiting forever.
            Fail(requests, Failures.Backend(new BackendFault("internal error", error.ToString())));
        }
    }

    public void TerminateIfOverdue(long now)
    {
        lock (_runGate)
        {
            if (!_running || _terminated || now - _runningSince < _limitTicks) return;
            _terminated = true;
            _executor.Terminate();
        }
    }

    public void Dispose()
    {
        _executor.Dispose();
        _buffers.Dispose();
        _sealing?.Dispose();
    }

    private void RunAlone(in PendingRequest request)
    {
        if (TryRun(new ReadOnlySpan<PendingRequest>(in request), request.Rows, out _) is { } failure) request.Failure = failure;
    }

    private static void Fail(ReadOnlySpan<PendingRequest> requests, InferenceFailure failure)
    {
        foreach (var request in requests) request.Failure = failure;
    }

    /// <summary>Null when every request has its outputs.</summary>
    private InferenceFailure? TryRun(ReadOnlySpan<PendingRequest> requests, int rows, out bool separable)
    {
        separable = true;
        var started = _time.GetTimestamp();
        Gather(requests, rows);
        var gathered = _time.GetTimestamp();
        var fault = Call();
        var executed = _time.GetTimestamp();
        Counters.Batches++;
        Counters.GatherTicks += gathered - started;
        Counters.ExecuteTicks += executed - gathered;
        if (fault is not null)
        {
            Counters.FailedBatches++;
            separable = !ReferenceEquals(fault, OverdueFault);
            return separable ? Failures.Backend(fault) : Failures.Timeout(_info.Options.ExecutionTimeout, fault);
        }

        var sliced = _layout.OutputsFollowRows(_buffers);
        if (!sliced) _lane.StopBatching();
        if (!sliced && requests.Length > 1) return Failures.Backend(new BackendFault("outputs do not follow rows", _info.Name));
        return Deliver(requests, sliced, executed);
    }

    private InferenceFailure? Deliver(ReadOnlySpan<PendingRequest> requests, bool sliced, long executed)
    {
        if (_sealing?.Seal(requests, _buffers, sliced, _shape.HasRows) is { } refused) return refused;
        var isSealed = _time.GetTimestamp();
        Counters.SealTicks += isSealed - executed;
        foreach (var request in requests) Scatter(request, sliced);
        Counters.ScatterTicks += _time.GetTimestamp() - isSealed;
        return null;
    }

    private BackendFault? Call()
    {
        lock (_runGate)
        {
            _runningSince = _time.GetTimestamp();
            _running = true;
        }

        BackendFault? fault;
        var terminated = false;
        try
        {
            fault = _executor.Execute(_buffers);
        }
        finally
        {
            terminated = EndCall();
        }

        return fault is not null && terminated ? OverdueFault : fault;
    }

    private bool EndCall()
    {
        lock (_runGate)
        {
            _running = false;
            var terminated = _terminated;
            _terminated = false;
            if (terminated) _executor.ClearTermination();
            return terminated;
        }
    }

    private void Gather(ReadOnlySpan<PendingRequest> requests, int rows)
    {
        SetShapes(requests[0], rows);
        for (var input = 0; input < _info.Inputs.Count; input++)
        {
            var target = _buffers.Input(input);
            foreach (var request in requests)
            {
                var source = request.Sources[input].Bytes;
                source.CopyTo(new Span<byte>(target, source.Length));
                target += source.Length;
            }

            if (_padding.Pads) _layout.Pad(_buffers, input, target);
        }

        var slot = 0;
        foreach (var request in requests)
        {
            request.FirstSlot = slot;
            request.BatchRows = _buffers.Rows;
            slot += request.Rows;
        }
    }

    /// <summary>Sets the batch's rows and shapes, taking the inner dimensions from a request or, for fixed ones, from the declaration.</summary>
    private void SetShapes(PendingRequest? first, int rows)
    {
        _layout.SetRows(_buffers, _padding.RowsFor(rows));
        for (var i = 0; i < _info.Inputs.Count; i++)
        {
            var spec = _info.Inputs[i];
            _layout.SetShape(_buffers, i, first is null ? spec.Dimensions : first.Dimensions.AsSpan(_shape.Starts[i], spec.Rank));
        }
    }

    private void Scatter(PendingRequest request, bool sliced)
    {
        var outputs = request.Outputs;
        long total = 0;
        for (var i = 0; i < _buffers.OutputBytes.Length; i++) total += Slice(request, i, sliced).Length;
        outputs.Begin(total);
        for (var i = 0; i < _buffers.OutputBytes.Length; i++)
        {
            var (start, length) = Slice(request, i, sliced);
            outputs.Set(i, _buffers.OutputShapes[i], sliced ? request.Rows : -1, (byte*)_buffers.OutputData[i] + start, (int)length);
        }
    }

    private (long Start, long Length) Slice(PendingRequest request, int output, bool sliced) =>
        BatchLayout.Slice(_buffers, output, request.FirstSlot, request.Rows, sliced);
}
