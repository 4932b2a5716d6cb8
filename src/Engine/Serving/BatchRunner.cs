using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Diagnostics;
using OpenGradient.Engine.Tensors;

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
        _executor = executor;
        _time = lane.Services.Time;
        Counters = new WorkerCounters(_time, lane.Recorder);
        _limitTicks = (long)(_info.Options.ExecutionTimeout.TotalSeconds * _time.TimestampFrequency);
        _buffers = new ExecutionBuffers(_info.Inputs, _info.Outputs);
        if (lane.Services.Sealer is { } sealer) _sealing = new BatchSealing(_info, sealer, lane.Services.Sink, Counters);
        if (_shape.HasStaticRows)
            for (var i = 0; i < _info.Inputs.Count; i++) _buffers.ReserveInput(i, _info.Inputs[i].StaticRowBytes * _info.Options.MaxBatch);
    }

    public WorkerCounters Counters { get; }

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
            if (!OutputsFollowRows()) _lane.StopBatching();
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
        var started = _time.GetTimestamp();
        foreach (var request in requests) Counters.Add(ServingStage.Queue, started - request.AdmittedAt);
        try
        {
            var failure = TryRun(requests, rows, started, out var separable);
            if (failure is not null && (requests.Length == 1 || !separable)) Fail(requests, failure);
            else if (failure is not null) foreach (ref readonly var request in requests) RunAlone(in request);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // A worker that died would leave its callers waiting forever.
            Fail(requests, Failures.Backend(new BackendFault("internal error", error.ToString())));
        }

        var ended = _time.GetTimestamp();
        foreach (var request in requests) Counters.Add(ServingStage.Total, ended - request.AdmittedAt);
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
        if (TryRun(new ReadOnlySpan<PendingRequest>(in request), request.Rows, _time.GetTimestamp(), out _) is { } failure) request.Failure = failure;
    }

    private static void Fail(ReadOnlySpan<PendingRequest> requests, InferenceFailure failure)
    {
        foreach (var request in requests) request.Failure = failure;
    }

    /// <summary>Null when every request has its outputs.</summary>
    private InferenceFailure? TryRun(ReadOnlySpan<PendingRequest> requests, int rows, long started, out bool separable)
    {
        separable = true;
        var times = RequestTrace.OfBatch(requests);
        Gather(requests, rows);
        var gathered = _time.GetTimestamp();
        var fault = Call();
        var executed = _time.GetTimestamp();
        Counters.AddBatch(rows);
        Counters.Add(ServingStage.Gather, gathered - started);
        Counters.Add(ServingStage.Execute, executed - gathered);
        if (times is not null) (times.Started, times.Gathered, times.Executed) = (started, gathered, executed);
        if (fault is not null)
        {
            Counters.FailedBatches++;
            separable = !ReferenceEquals(fault, OverdueFault);
            return separable ? Failures.Backend(fault) : Failures.Timeout(_info.Options.ExecutionTimeout, fault);
        }

        var sliced = OutputsFollowRows();
        if (!sliced) _lane.StopBatching();
        if (!sliced && requests.Length > 1) return Failures.Backend(new BackendFault("outputs do not follow rows", _info.Name));
        return Deliver(requests, sliced, executed, times);
    }

    private InferenceFailure? Deliver(ReadOnlySpan<PendingRequest> requests, bool sliced, long executed, BatchTimes? times)
    {
        if (_sealing?.Seal(requests, _buffers, sliced, _shape.HasRows) is { } refused) return refused;
        var isSealed = _time.GetTimestamp();
        if (requests[0].Batch is { } batch) Counters.AddSealing(isSealed - executed, batch.SignTime);
        foreach (var request in requests) Scatter(request, sliced);
        var scattered = _time.GetTimestamp();
        Counters.Add(ServingStage.Scatter, scattered - isSealed);
        if (times is not null) (times.Sealed, times.Scattered) = (isSealed, scattered);
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

            Pad(input, target);
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
        var multiple = _info.Options.PaddingMultiple;
        _buffers.Rows = _shape.HasRows ? (rows + multiple - 1) / multiple * multiple : rows;
        for (var i = 0; i < _info.Inputs.Count; i++)
        {
            var spec = _info.Inputs[i];
            var shape = _buffers.InputShapes[i].AsSpan();
            if (first is null) spec.Dimensions.CopyTo(shape);
            else first.Dimensions.AsSpan(_shape.Starts[i], spec.Rank).CopyTo(shape);
            if (_shape.HasRows) shape[0] = _buffers.Rows;
            if (!_shape.HasStaticRows) _buffers.ReserveInput(i, ByteCount(spec, shape));
        }
    }

    private static long ByteCount(TensorSpec spec, ReadOnlySpan<long> shape)
    {
        long bytes = ElementTypes.SizeOf(spec.Type);
        foreach (var dimension in shape) bytes = checked(bytes * dimension);
        return bytes;
    }

    private void Pad(int input, byte* end)
    {
        if (_info.Options.PaddingMultiple == 1) return;
        var used = end - _buffers.Input(input);
        var all = ByteCount(_info.Inputs[input], _buffers.InputShapes[input]);
        new Span<byte>(end, checked((int)(all - used))).Clear();
    }

    private bool OutputsFollowRows()
    {
        if (!_shape.OutputsFollowRows) return false;
        foreach (var shape in _buffers.OutputShapes)
            if (shape.Length == 0 || shape[0] != _buffers.Rows) return false;
        return true;
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

    private (long Start, long Length) Slice(PendingRequest request, int output, bool sliced)
    {
        var bytes = _buffers.OutputBytes[output];
        if (!sliced) return (0, bytes);
        var row = bytes / _buffers.Rows;
        return (row * request.FirstSlot, row * request.Rows);
    }
}
