using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Diagnostics;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// One worker's execution: gather into its own aligned buffers, one backend call, seal, scatter. Every request given to
/// <see cref="Run"/> leaves it with outputs or with a failure, unless the call was given up. Used by one thread at a time, except
/// <see cref="IsHung"/>.
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
    private readonly long _graceTicks;

    private readonly RecheckSampler? _sampler;
    private RowRecheck? _taken;

    // Guards the four below: the watchdog must never terminate the call after the one it saw.
    private readonly Lock _runGate = new();
    private long _runningSince;
    private bool _running;
    private bool _terminated;
    private volatile bool _givenUp;

    // The call that is being made, for the log.
    private BatchEntry _entry;

    /// <param name="replaced">The runner whose counters and log this one goes on with.</param>
    public BatchRunner(ModelLane lane, IBackendExecutor executor, int worker, BatchRunner? replaced = null)
    {
        Counters = replaced?.Counters ?? new WorkerCounters(lane.Services.Time, lane.Recorder);
        Log = replaced?.Log ?? new BatchLog(worker);
        _lane = lane;
        _info = lane.Info;
        _shape = lane.Shape;
        _layout = new BatchLayout(_shape);
        _padding = PaddingRule.Of(_info.Context);
        _executor = executor;
        _time = lane.Services.Time;
        _limitTicks = (long)(_info.Options.ExecutionTimeout.TotalSeconds * _time.TimestampFrequency);
        _graceTicks = (long)(_info.Options.TerminationGrace.TotalSeconds * _time.TimestampFrequency);
        _buffers = new ExecutionBuffers(_info.Inputs, _info.Outputs);
        if (lane.Recheck is not null) _sampler = new RecheckSampler(_info.Options.RecheckOneIn, seed: worker);
        if (lane.Services.Sealer is { } sealer) _sealing = new BatchSealing(lane, sealer, lane.Services.Sink, Counters);
        if (_shape.HasStaticRows)
            for (var i = 0; i < _info.Inputs.Count; i++) _buffers.ReserveInput(i, _info.Inputs[i].StaticRowBytes * _info.Options.MaxBatch);
    }

    public WorkerCounters Counters { get; }

    /// <summary>The call did not end in time and its requests belong to whoever found that; set while it runs, for good.</summary>
    public bool IsGivenUp => _givenUp;

    /// <summary>Of the batch that runs: how many of its first requests have their outputs or failures.</summary>
    public int Finished { get; private set; }

    public BatchLog Log { get; }

    /// <summary>Executes rows of zeros at the smallest and the largest batch, so that the first caller does not pay for it, and checks the outputs' rows.</summary>
    public WarmUpTimes WarmUp()
    {
        if (!_shape.HasStaticRows) return WarmUpTimes.Unknown;
        long[][]? ofOneRow = null;
        return Fastest(1, ref ofOneRow) is { } single && Fastest(_info.Options.MaxBatch, ref ofOneRow) is { } largest
            ? new WarmUpTimes(single, largest)
            : WarmUpTimes.Unknown;
    }

    public bool HasSameInnerShape(PendingRequest first, PendingRequest other)
    {
        for (var i = 0; i < first.Dimensions.Length; i++)
            if (first.Dimensions[i] != other.Dimensions[i] && Array.IndexOf(_shape.Starts, i) < 0) return false;
        return true;
    }

    /// <summary>
    /// Executes the requests as one batch; if the backend fails, each of them alone once, so that one bad row does not fail its
    /// neighbours. A batch that does not fit into memory is halved until what is left fits, or is one request.
    /// </summary>
    /// <param name="reason">Why there are no more of them.</param>
    /// <param name="oldest">When the oldest of them was admitted.</param>
    public void Run(ReadOnlySpan<PendingRequest> requests, int rows, BatchSizeReason reason, long oldest)
    {
        Counters.Requests += requests.Length;
        Counters.Rows += rows;
        Finished = 0;
        var started = _time.GetTimestamp();
        foreach (var request in requests) Counters.Add(ServingStage.Queue, started - request.AdmittedAt);
        RunPart(requests, rows, reason, oldest);
        if (_givenUp) return;
        var ended = _time.GetTimestamp();
        foreach (var request in requests) Counters.Add(ServingStage.Total, ended - request.AdmittedAt);
    }

    /// <summary>A comparison to launch once the callers of the batch that just ran have been completed; mostly null.</summary>
    public RowRecheck? TakeRecheck()
    {
        var taken = _taken;
        _taken = null;
        return taken;
    }

    /// <summary>Terminates a call that exceeds its limit. True once, when it goes on beyond the grace: it is given up.</summary>
    public bool IsHung(long now, bool mayGiveUp)
    {
        lock (_runGate)
        {
            if (!_running || _givenUp || now - _runningSince < _limitTicks) return false;
            if (!_terminated)
            {
                _terminated = true;
                _executor.Terminate();
            }

            return _givenUp = mayGiveUp && now - _runningSince - _limitTicks >= _graceTicks;
        }
    }

    public void Dispose()
    {
        _executor.Dispose();
        _buffers.Dispose();
        _sealing?.Dispose();
    }

    /// <summary>The fastest of three calls: the first builds tensors and grows the arena, and others may share the core.</summary>
    /// <param name="ofOneRow">The outputs' shapes of the first call.</param>
    private TimeSpan? Fastest(int rows, ref long[][]? ofOneRow)
    {
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            SetShapes(null, rows);
            var start = _time.GetTimestamp();
            if ((Call() ?? OutputCheck.Find(_info.Outputs, _buffers)) is { } fault)
            {
                if (fault.Kind == BackendFaultKind.DeviceLost)
                    throw new ModelLoadException(ModelLoadReason.DeviceMissing, $"model '{_info.Name}' was not loaded: its device is lost: {fault.Detail}");
                // What memory does not hold says nothing of the rows.
                if (fault.Kind == BackendFaultKind.OutOfMemory && rows > 1) return Fastest(rows / 2, ref ofOneRow);
                // A model may rightly refuse zeros; callers' rows decide. Only the probe knows then how outputs follow rows.
                var isProbed = _info.Probe is { Class: DeterminismClass.A or DeterminismClass.B };
                if (!isProbed && !ReferenceEquals(fault, OverdueFault)) _lane.StopBatching();
                return null;
            }

            var took = _time.GetElapsedTime(start);
            if (took < fastest) fastest = took;
            ofOneRow ??= [.. _buffers.OutputShapes.Select(shape => (long[])shape.Clone())];
            if (!_layout.OutputsFollowRows(_buffers) || !BatchLayout.HaveInnerShapes(_buffers, ofOneRow)) _lane.StopBatching();
        }

        return fastest;
    }

    /// <summary>Leaves the requests with outputs or failures, in their order, unless the call was given up. Halving bounds the depth.</summary>
    private void RunPart(ReadOnlySpan<PendingRequest> requests, int rows, BatchSizeReason reason, long oldest)
    {
        var failure = RunRecorded(requests, rows, reason, oldest, out var split);
        if (_givenUp) return;
        if (failure is not null && requests.Length > 1 && split != BatchSplit.None)
        {
            var size = split == BatchSplit.Halves ? (requests.Length + 1) / 2 : 1;
            for (var start = 0; start < requests.Length && !_givenUp; start += size)
                RunSplit(requests.Slice(start, Math.Min(size, requests.Length - start)));
            return;
        }

        if (failure is not null)
            foreach (var request in requests) request.Failure = failure;
        Finished += requests.Length;
    }

    private void RunSplit(ReadOnlySpan<PendingRequest> requests)
    {
        var rows = 0;
        var oldest = long.MaxValue;
        foreach (var request in requests) (rows, oldest) = (rows + request.Rows, Math.Min(oldest, request.AdmittedAt));
        RunPart(requests, rows, BatchSizeReason.SplitAfterFailure, oldest);
    }

    /// <summary>Null when every request has its outputs or a failure of its own. Throws nothing: a worker that died would leave its callers waiting for ever.</summary>
    private InferenceFailure? RunRecorded(ReadOnlySpan<PendingRequest> requests, int rows, BatchSizeReason reason, long oldest, out BatchSplit split)
    {
        var started = _time.GetTimestamp();
        _entry = new BatchEntry { Requests = requests.Length, Rows = rows, Reason = reason, Started = started, OldestQueued = started - oldest };
        InferenceFailure? failure;
        try
        {
            failure = Attempt(requests, rows, started, out split);
        }
        catch (Exception error)
        {
            // Also memory that ran out: a smaller batch may fit, and if not, it is these callers' failure and not the process's.
            var fault = Failures.FaultOf(error);
            split = BatchSplits.After(fault);
            failure = Failures.Backend(fault);
        }

        _entry.Succeeded = failure is null;
        // Given up: counters and log are another runner's by now.
        if (!_givenUp) Record(reason, rows, started);
        return failure;
    }

    private void Record(BatchSizeReason reason, int rows, long started)
    {
        Counters.SizeReasons[(int)reason]++;
        Log.Add(_entry);
        if (_entry.Succeeded) _lane.Estimate.Add(_time.GetTimestamp() - started, _lane.Batches ? (double)rows / _info.Options.MaxBatch : 1);
    }

    /// <summary>Null when every request has its outputs or a failure of its own.</summary>
    private InferenceFailure? Attempt(ReadOnlySpan<PendingRequest> requests, int rows, long started, out BatchSplit split)
    {
        split = BatchSplit.EachAlone;
        var times = RequestTrace.OfBatch(requests);
        _sealing?.Begin();
        Gather(requests, rows);
        var gathered = _time.GetTimestamp();
        var fault = Call();
        if (_givenUp) return null;
        fault ??= OutputCheck.Find(_info.Outputs, _buffers);
        var executed = _time.GetTimestamp();
        Counters.AddBatch(rows);
        Counters.Add(ServingStage.Gather, _entry.Gather = gathered - started);
        Counters.Add(ServingStage.Execute, _entry.Execute = executed - gathered);
        _entry.PaddedRows = _buffers.Rows;
        if (times is not null) (times.Started, times.Gathered, times.Executed) = (started, gathered, executed);
        if (fault is not null)
        {
            Counters.FailedBatches++;
            // A call that was stopped at its limit would take the limit once more for each request.
            var isOverdue = ReferenceEquals(fault, OverdueFault);
            split = isOverdue ? BatchSplit.None : BatchSplits.After(fault);
            if (fault.Kind == BackendFaultKind.DeviceLost) _lane.OnDeviceLost(fault);
            return isOverdue ? Failures.Timeout(_info.Options.ExecutionTimeout, fault) : Failures.Backend(fault);
        }

        var sliced = _layout.OutputsFollowRows(_buffers);
        if (!sliced) _lane.StopBatching();
        if (!sliced && requests.Length > 1) return Failures.Backend(new BackendFault("outputs do not follow rows", _info.Name));
        var refused = Deliver(requests, sliced, executed, times);
        // What could not be sealed together cannot be sealed alone: no row is at fault.
        if (refused is not null) split = BatchSplit.None;
        return refused;
    }

    private InferenceFailure? Deliver(ReadOnlySpan<PendingRequest> requests, bool sliced, long executed, BatchTimes? times)
    {
        if (_sealing?.Seal(requests, _buffers, sliced, _shape.HasRows) is { } refused) return refused;
        var isSealed = _time.GetTimestamp();
        _entry.Seal = isSealed - executed;
        if (requests[0].Batch is { } batch) Counters.AddSealing(_entry.Seal, batch.SignTime);
        foreach (var request in requests) TryScatter(request, sliced);
        var scattered = _time.GetTimestamp();
        Counters.Add(ServingStage.Scatter, _entry.Scatter = scattered - isSealed);
        if (times is not null) (times.Sealed, times.Scattered) = (isSealed, scattered);
        if (_sampler is not null) Sample(requests, sliced);
        return null;
    }

    private void Sample(ReadOnlySpan<PendingRequest> requests, bool sliced)
    {
        var last = requests[^1];
        var row = _sampler!.Next(last.FirstSlot + last.Rows);
        if (row < 0 || !_lane.Recheck!.IsWanted) return;
        foreach (var request in requests)
        {
            if (row >= request.FirstSlot + request.Rows) continue;
            if (_lane.Recheck.TryTake(request, row - request.FirstSlot, _buffers, sliced)) _taken = _lane.Recheck;
            return;
        }
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
        catch (Exception error)
        {
            fault = Failures.FaultOf(error);
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

    /// <summary>The batch is sealed by now: outputs for which there is no memory fail their own request only.</summary>
    private void TryScatter(PendingRequest request, bool sliced)
    {
        try
        {
            Scatter(request, sliced);
        }
        catch (Exception error)
        {
            request.Failure = Failures.Backend(Failures.FaultOf(error));
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
