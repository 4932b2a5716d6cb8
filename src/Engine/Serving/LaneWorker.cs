using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// Takes as many waiting requests as fit, executes them, hands the answers on. Runs on the thread pool one batch per work item
/// (re-queued behind everybody else's work), or on its own thread. One batch at a time; its fields belong to whoever runs it.
/// </summary>
internal sealed class LaneWorker : IThreadPoolWorkItem, IBatchFit, IDisposable
{
    private readonly ModelLane _lane;
    private readonly ulong _bit;
    private readonly BatchRunner _runner;
    private readonly PendingRequest[] _batch;
    private readonly int _maxBatch;
    private readonly int _maxRequests;
    private readonly long _delayTicks;
    private SemaphoreSlim? _signal;
    private Thread? _thread;
    private volatile bool _stopped;
    private int _count;
    private int _rows;

    // When the batch's oldest request was admitted, and why the batch has no more of them.
    private long _oldest;
    private BatchSizeReason _reason;

    // Whether the batch that runs holds a thread of the pool, and the completions it will end in; read by the watchdog when the
    // batch's call hangs, which then nobody else writes.
    private bool _onPool;
    private CompletionBatch? _completions;

    /// <param name="replaced">The worker whose place, counters and log this one takes.</param>
    public LaneWorker(ModelLane lane, int index, IBackendExecutor executor, LaneWorker? replaced = null)
    {
        _lane = lane;
        Index = index;
        _bit = 1ul << index;
        _maxBatch = lane.Info.Options.MaxBatch;
        _maxRequests = lane.Info.IsBatchable ? _maxBatch : 1;
        _batch = new PendingRequest[_maxRequests];
        _runner = new BatchRunner(lane, executor, index, replaced?._runner);
        _delayTicks = (long)(lane.Info.Options.MaxQueueDelay.TotalSeconds * lane.Services.Time.TimestampFrequency);
    }

    public int Index { get; }

    public bool IsGivenUp => _runner.IsGivenUp;

    public bool HoldsPoolThread => _onPool;

    public WorkerCounters Counters => _runner.Counters;

    public BatchLog Log => _runner.Log;

    public WarmUpTimes WarmUp() => _runner.WarmUp();

    public void Start(bool ownThread)
    {
        if (!ownThread) return;
        _signal = new SemaphoreSlim(0);
        _thread = new Thread(RunThread) { IsBackground = true, Name = $"og {_lane.Info.Name}" };
        _thread.Start();
    }

    /// <summary>Lets the worker run; called by whoever cleared its bit.</summary>
    public void Schedule()
    {
        if (_signal is { } signal) signal.Release();
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Makes a worker idle that nobody runs.</summary>
    public void GiveBack()
    {
        if (_lane.Park(_bit)) Schedule();
    }

    /// <summary>Executes one request on the calling thread, which took this worker's bit and gives it back.</summary>
    /// <returns>A comparison to launch once the caller has been completed; mostly null.</returns>
    public RowRecheck? RunInline(PendingRequest request)
    {
        _onPool = Thread.CurrentThread.IsThreadPoolThread;
        _lane.OnExecuting(1);
        RowRecheck? recheck = null;
        try
        {
            _runner.Run(new ReadOnlySpan<PendingRequest>(in request), request.Rows, BatchSizeReason.Inline, request.AdmittedAt);
        }
        finally
        {
            if (IsGivenUp)
            {
                // Its caller is on this thread: nobody could answer it before.
                request.Failure = Failures.Hung(_lane.Info.Options);
                _lane.Hung.Returned(this);
            }
            else
            {
                _lane.OnExecuting(-1);
                recheck = _runner.TakeRecheck();
                GiveBack();
            }
        }

        return recheck;
    }

    /// <summary>See <see cref="BatchRunner.IsHung"/>.</summary>
    public bool IsHung(long now, bool mayGiveUp) => _runner.IsHung(now, mayGiveUp);

    /// <summary>Answers the callers of a batch whose call was given up. A call on its caller's own thread has none to answer.</summary>
    public void AnswerHung(InferenceFailure failure)
    {
        _lane.OnExecuting(_completions is null ? -1 : -_count);
        if (_completions is not { } completions) return;
        for (var i = 0; i < _count; i++)
        {
            if (i >= _runner.Finished) _batch[i].Failure = failure;
            completions.Add(_batch[i]);
        }

        completions.RunOnPool();
    }

    /// <summary>Frees what the call that was given up used, on its thread.</summary>
    public void FreeAfterHang()
    {
        _signal?.Dispose();
        _runner.Dispose();
    }

    public void Dispose()
    {
        _stopped = true;
        _signal?.Release();
        _thread?.Join();
        _signal?.Dispose();
        _runner.Dispose();
    }

    void IThreadPoolWorkItem.Execute()
    {
        _onPool = true;
        var completions = NextBatch();
        if (IsGivenUp)
        {
            _lane.Hung.Returned(this);
            return;
        }

        if (completions is null)
        {
            if (_lane.Park(_bit)) Schedule();
            return;
        }

        // Queued before the callers' continuations run, so that one that blocks stalls a pool thread, not this worker; and
        // globally, because local items would always come before the work of everybody else.
        Schedule();
        completions.RunHere();
    }

    private void RunThread()
    {
        while (true)
        {
            _signal!.Wait();
            if (_stopped) return;
            do
            {
                _onPool = false;
                while (NextBatch() is { } completions) completions.RunOnPool();
                if (IsGivenUp)
                {
                    _lane.Hung.Returned(this);
                    return;
                }
            }
            while (_lane.Park(_bit));
        }
    }

    /// <summary>Collects and runs one batch; null when nothing waits, or when the call was given up.</summary>
    private CompletionBatch? NextBatch()
    {
        if (!_lane.Completions.TryDequeue(out var completions)) completions = new CompletionBatch(_lane.Completions, _maxRequests);
        _count = _rows = 0;
        _oldest = long.MaxValue;
        Collect(completions);
        if (_count == 0 && completions.Count == 0)
        {
            _lane.Completions.Enqueue(completions);
            return null;
        }

        if (_count > 0 && !TryRun(completions)) return null;
        for (var i = 0; i < _count; i++) completions.Add(_batch[i]);
        completions.Afterwards = _runner.TakeRecheck();
        Array.Clear(_batch, 0, _count);
        return completions;
    }

    /// <summary>False when the call was given up: batch and completions are no longer this thread's.</summary>
    private bool TryRun(CompletionBatch completions)
    {
        _completions = completions;
        _lane.OnExecuting(_count);
        _runner.Run(_batch.AsSpan(0, _count), _rows, _reason, _oldest);
        if (IsGivenUp) return false;
        _lane.OnExecuting(-_count);
        _completions = null;
        return true;
    }

    /// <summary>Fills the batch. Requests whose time had run out go straight into the completions.</summary>
    private void Collect(CompletionBatch completions)
    {
        Fill(completions, _lane.Services.Time.GetTimestamp());
        if (_delayTicks > 0 && _count > 0) WaitForMore(completions);
    }

    private void Fill(CompletionBatch completions, long now)
    {
        var limit = Limit();
        long bytes = 0, rows = 0;
        var claimed = 0;
        while (!IsComplete(limit, completions.Count, claimed))
        {
            var take = _lane.Queue.TryTake(this, out var next);
            if (take != Take.Taken)
            {
                _reason = ReasonOf(take);
                // What did not fit is there for whoever is idle.
                if (take != Take.Empty) _lane.Workers.Wake();
                break;
            }

            if (!next.TryClaim())
            {
                next.LetGo();
                continue;
            }

            _lane.OnClaimed(next);
            claimed++;
            rows += next.Rows;
            bytes += next.Bytes;
            if (next.Deadline <= now && !next.Downgrades)
            {
                Counters.Add(ServingStage.Queue, now - next.AdmittedAt);
                next.Failure = Failures.DeadlineExceeded;
                Counters.Requests++;
                completions.Add(next);
                continue;
            }

            _batch[_count++] = next;
            _rows += next.Rows;
            _oldest = Math.Min(_oldest, next.AdmittedAt);
        }

        if (claimed > 0) _lane.Load.Release(claimed, rows, bytes);
    }

    private int Limit()
    {
        if (!_lane.Batches) return 1;
        // Whoever is ready to wait for more rows wants the batch as full as it gets.
        return _delayTicks > 0 ? _maxRequests : Math.Clamp(_lane.Share, 1, _maxRequests);
    }

    /// <summary>Whether the batch may take nothing more, whatever waits; the reason is then set.</summary>
    private bool IsComplete(int limit, int expired, int claimed)
    {
        if (_count >= limit)
        {
            if (!_lane.Batches) _reason = BatchSizeReason.NotBatchable;
            else if (limit == _maxRequests) _reason = BatchSizeReason.Full;
            else _reason = _lane.Load.Requests > claimed ? BatchSizeReason.Share : BatchSizeReason.QueueEmpty;
            return true;
        }

        // Completions hold the expired ones too, hence the bound on both together.
        if (_rows >= _maxBatch) _reason = BatchSizeReason.Full;
        else if (_count + expired >= _maxRequests) _reason = BatchSizeReason.OthersExpired;
        else return false;
        return true;
    }

    private static BatchSizeReason ReasonOf(Take take) => take switch
    {
        Take.TooManyRows => BatchSizeReason.NextDidNotFit,
        Take.OtherShape => BatchSizeReason.ShapeChanged,
        _ => BatchSizeReason.QueueEmpty,
    };

    Fit IBatchFit.Check(QueueEntry entry)
    {
        if (_count == 0) return Fit.Yes;
        if (_rows + entry.Rows > _maxBatch) return Fit.TooManyRows;
        return _lane.Shape.HasStaticRows || _runner.HasSameInnerShape(_batch[0], (PendingRequest)entry) ? Fit.Yes : Fit.OtherShape;
    }

    /// <summary>Waits for rows until the batch is full, its oldest request has waited long enough, or the lane closes.</summary>
    private void WaitForMore(CompletionBatch completions)
    {
        var time = _lane.Services.Time;
        var until = _batch[0].AdmittedAt + _delayTicks;
        while (_reason == BatchSizeReason.QueueEmpty && _lane.Batches)
        {
            var remaining = time.GetElapsedTime(time.GetTimestamp(), until);
            if (_lane.IsClosed) _reason = BatchSizeReason.Draining;
            else if (remaining <= TimeSpan.Zero) _reason = BatchSizeReason.DelayElapsed;
            if (_reason != BatchSizeReason.QueueEmpty) break;
            _lane.Workers.BeginCollecting(_bit);
            // What came before the bit was set is seen here, what comes after gives the signal.
            var signalled = !_lane.Queue.HasWaiting && !_lane.IsClosed && _signal!.Wait(remaining);
            if (!signalled && _lane.Workers.EndCollecting(_bit)) _signal!.Wait();
            Fill(completions, time.GetTimestamp());
        }
    }
}
