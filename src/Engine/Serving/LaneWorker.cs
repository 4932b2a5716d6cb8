using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// Takes as many waiting requests as fit, executes them, hands the answers on. Runs on the thread pool one batch per work item
/// (re-queued behind everybody else's work), or on its own thread. One batch at a time; its fields belong to whoever runs it.
/// </summary>
internal sealed class LaneWorker : IThreadPoolWorkItem, IDisposable
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

    // Read from the channel, but of another shape or too large for the batch: the next batch begins with it.
    private PendingRequest? _heldOver;

    public LaneWorker(ModelLane lane, int index, IBackendExecutor executor)
    {
        _lane = lane;
        _bit = 1ul << index;
        _maxBatch = lane.Info.Options.MaxBatch;
        _maxRequests = lane.Info.IsBatchable ? _maxBatch : 1;
        _batch = new PendingRequest[_maxRequests];
        _runner = new BatchRunner(lane, executor);
        _delayTicks = (long)(lane.Info.Options.MaxQueueDelay.TotalSeconds * lane.Services.Time.TimestampFrequency);
    }

    public WorkerCounters Counters => _runner.Counters;

    public TimeSpan WarmUp() => _runner.WarmUp();

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

    public void TerminateIfOverdue(long now) => _runner.TerminateIfOverdue(now);

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
        var completions = NextBatch();
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
                while (NextBatch() is { } completions) completions.RunOnPool();
            }
            while (_lane.Park(_bit));
        }
    }

    /// <summary>Collects and runs one batch; null when nothing waits.</summary>
    private CompletionBatch? NextBatch()
    {
        if (!_lane.Completions.TryDequeue(out var completions)) completions = new CompletionBatch(_lane.Completions, _maxRequests);
        _count = _rows = 0;
        var expired = Collect(completions);
        if (_count == 0 && !expired)
        {
            _lane.Completions.Enqueue(completions);
            return null;
        }

        if (_count > 0) Run();
        for (var i = 0; i < _count; i++) completions.Add(_batch[i]);
        Array.Clear(_batch, 0, _count);
        return completions;
    }

    private void Run()
    {
        _lane.OnExecuting(_count);
        _runner.Run(_batch.AsSpan(0, _count), _rows);
        _lane.OnExecuting(-_count);
    }

    /// <summary>Fills the batch. True when a request whose time had run out was put straight into the completions.</summary>
    private bool Collect(CompletionBatch completions)
    {
        var expired = Fill(completions, _lane.Services.Time.GetTimestamp());
        if (_delayTicks > 0 && _count > 0) expired |= WaitForMore(completions);
        return expired;
    }

    private bool Fill(CompletionBatch completions, long now)
    {
        var limit = Limit();
        var expired = false;
        long bytes = 0;
        var claimed = 0;
        // Completions hold the expired ones too, hence the bound on both together.
        while (_count < limit && _rows < _maxBatch && _count + completions.Count < _maxRequests && TryNext(out var next))
        {
            if (!Fits(next))
            {
                _heldOver = next;
                break;
            }

            if (!next.TryClaim())
            {
                next.LetGo();
                continue;
            }

            _lane.OnClaimed(next);
            claimed++;
            bytes += next.Bytes;
            if (next.Deadline <= now)
            {
                Counters.Add(ServingStage.Queue, now - next.AdmittedAt);
                next.Failure = Failures.DeadlineExceeded;
                completions.Add(next);
                expired = true;
                continue;
            }

            _batch[_count++] = next;
            _rows += next.Rows;
        }

        if (claimed > 0) _lane.Unreserve(claimed, bytes);
        return expired;
    }

    private int Limit()
    {
        if (!_lane.Batches) return 1;
        // Whoever is ready to wait for more rows wants the batch as full as it gets.
        return _delayTicks > 0 ? _maxRequests : Math.Clamp(_lane.Share, 1, _maxRequests);
    }

    private bool TryNext(out PendingRequest next)
    {
        if (_heldOver is null) return _lane.Queue.TryRead(out next!);
        next = _heldOver;
        _heldOver = null;
        return true;
    }

    private bool Fits(PendingRequest next)
    {
        if (_count == 0) return true;
        return _rows + next.Rows <= _maxBatch && (_lane.Shape.HasStaticRows || _runner.HasSameInnerShape(_batch[0], next));
    }

    /// <summary>Waits for rows until the batch is full, its oldest request has waited long enough, or the lane closes.</summary>
    private bool WaitForMore(CompletionBatch completions)
    {
        var expired = false;
        var time = _lane.Services.Time;
        var until = _batch[0].AdmittedAt + _delayTicks;
        while (_rows < _maxBatch && _count < _maxRequests && _heldOver is null && _lane.Batches && !_lane.IsClosed)
        {
            var remaining = time.GetElapsedTime(time.GetTimestamp(), until);
            if (remaining <= TimeSpan.Zero) break;
            _lane.BeginCollecting(_bit);
            // What came before the bit was set is seen here, what comes after gives the signal.
            var signalled = _lane.Queue.Count == 0 && !_lane.IsClosed && _signal!.Wait(remaining);
            if (!signalled && _lane.EndCollecting(_bit)) _signal!.Wait();
            expired |= Fill(completions, time.GetTimestamp());
        }

        return expired;
    }
}
