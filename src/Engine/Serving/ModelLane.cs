using System.Collections.Concurrent;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Diagnostics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Serving;

/// <summary>What the lanes of an engine share.</summary>
internal sealed record LaneServices(TimeProvider Time, IBatchSealer? Sealer, ISealedBatchSink? Sink, EngineInstruments Instruments, Action<ModelDemotion>? Demoted = null, IExecutionTap? Tap = null)
{
    public Watchdog Watchdog { get; } = new(Time);

    public ActiveLanes Active { get; } = new();
}

/// <summary>
/// One loaded model's way through the engine: bounded admission, one queue, as many workers as cores. A worker is idle (its
/// bit set), or is running and looks at the queue once more after setting its bit, so no request is left behind.
/// </summary>
internal sealed class ModelLane : IAsyncDisposable
{
    // A largest call up to this is a short one: threads of its own would cost it more than they save.
    private static readonly TimeSpan ShortCall = TimeSpan.FromMilliseconds(2);

    private readonly IBackendModel _model;
    private readonly RequestValidator _validator;
    private readonly LaneAdmission _admission;
    private readonly DeadlineList _deadlines;
    private readonly LaneWorkers _workers;
    private readonly InlineExecution _inline;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Written when the lane starts and by a demotion; workers read it at each batch they seal.
    private volatile ModelInfo _info;
    private volatile byte[] _context;

    private int _executing;
    private long _abandoned;
    private volatile bool _closed;

    // Written after the queue took its last request: from then on what waits or executes only becomes less.
    private volatile bool _draining;
    private volatile bool _batches;

    public ModelLane(ModelInfo info, ModelShape shape, IBackendModel model, LaneServices services)
    {
        _info = info;
        _context = info.Context.Encode();
        Shape = shape;
        Services = services;
        Recorder = new LaneRecorder(services.Instruments, info);
        _model = model;
        _batches = info.IsBatchable;
        Pool = new RequestPool(this, info.Options.MaxQueuedRequests);
        _validator = new RequestValidator(info, shape);
        _deadlines = new DeadlineList(services.Time);
        Queue = new LaneQueue(info.Options);
        Load = new LaneLoad(info.Options);
        _admission = new LaneAdmission(info.Options, Queue, Load, Estimate, services.Time);
        _inline = new InlineExecution(info.Options);
        Hung = new HungCalls(this);
        var isPromised = info.Context.Determinism is DeterminismClass.A or DeterminismClass.B;
        Recheck = isPromised && info.Options.RecheckOneIn > 0 ? new RowRecheck(this, model) : null;
        _workers = new LaneWorkers(info.Options.WorkerCount, index => new LaneWorker(this, index, model.CreateExecutor()), services.Active);
    }

    /// <summary>Changed by <see cref="Start"/>, before anything is admitted, and by <see cref="Demote"/>.</summary>
    public ModelInfo Info => _info;

    /// <summary>What statements say of this model, encoded: of <see cref="Info"/>, at most a moment older.</summary>
    public ReadOnlySpan<byte> EncodedContext => _context;

    /// <summary>Executes sampled rows again; null where the model's class promises nothing or the options switch it off.</summary>
    public RowRecheck? Recheck { get; }

    public ModelShape Shape { get; }

    public LaneServices Services { get; }

    public LaneRecorder Recorder { get; }

    public LaneHealth Health { get; } = new();

    public HungCalls Hung { get; }

    public RequestPool Pool { get; }

    /// <summary>Batches whose callers have all been completed, for the next ones.</summary>
    public ConcurrentQueue<CompletionBatch> Completions { get; } = new();

    public LaneQueue Queue { get; }

    public LaneLoad Load { get; }

    public CallEstimate Estimate { get; } = new();

    public bool IsClosed => _closed;

    /// <summary>Whether requests share calls. Turned off for good when the outputs turn out not to follow the rows.</summary>
    public bool Batches => _batches;

    public ModelStatistics Statistics =>
        WorkerCounters.Sum(_workers.Counters, Abandoned, Waiting)
            with
            {
                Leased = Pool.Outstanding,
                HungCalls = Hung.Total,
                Rechecks = Recheck?.Compared ?? 0,
                RecheckMismatches = Recheck?.Mismatches ?? 0,
            };

    /// <summary>The last batches of every worker, by their time of start.</summary>
    public IReadOnlyList<BatchRecord> RecentBatches
    {
        get
        {
            var records = new List<BatchRecord>();
            foreach (var worker in _workers.All) worker.Log.CopyTo(records, Services.Time);
            records.Sort((x, y) => x.Started.CompareTo(y.Started));
            return records;
        }
    }

    public long Abandoned => Volatile.Read(ref _abandoned);

    public long Waiting => Load.Requests;

    /// <summary>One counter over all workers.</summary>
    public long Sum(Func<WorkerCounters, long> counter)
    {
        long sum = 0;
        foreach (var worker in _workers.All) sum += counter(worker.Counters);
        return sum;
    }

    /// <summary>
    /// A worker's share of the requests in the lane, waiting or executing. Taking no more leaves the others theirs, so that all
    /// cores work on batches of about equal size; whoever takes all it can see leaves its neighbours small batches, which
    /// cost more per row.
    /// </summary>
    public int Share
    {
        get
        {
            var workers = _workers.Spread;
            return (Load.Requests + Volatile.Read(ref _executing) + workers - 1) / workers;
        }
    }

    public void OnExecuting(int requests) => Interlocked.Add(ref _executing, requests);

    public void StopBatching() => _batches = false;

    /// <summary>
    /// A row was executed again and gave other bits: later statements claim less. Where not even the same place reproduced it,
    /// neighbours may have changed it, so calls are no longer shared unless the options insist.
    /// </summary>
    public void Demote(DeterminismClass to, string reason)
    {
        var info = _info;
        var from = info.Context.Determinism;
        var stops = to == DeterminismClass.U && info.Options.BatchAcrossCallers == BatchAcrossCallers.Auto;
        var demoted = info with { Context = info.Context with { Determinism = to }, IsBatchable = info.IsBatchable && !stops };
        _context = demoted.Context.Encode();
        _info = demoted;
        if (stops) StopBatching();
        var words = $"determinism class {from} became {to}: {reason}";
        Health.Report("re-execution", ModelHealth.Degraded, words);
        Services.Demoted?.Invoke(new ModelDemotion(info.Name, info.Version, from, to, words));
    }

    /// <summary>Executes and checks the model, then opens the lane. Nothing may be admitted before.</summary>
    public void Start()
    {
        Services.Watchdog.Add(this);
        var times = WarmUp();
        if (!_batches) _info = _info with { IsBatchable = false };
        _inline.Measured(times);
        Hung.Open();
        _workers.Open(OnOwnThreads(times.Largest));
    }

    /// <summary>Null: the request is admitted and <paramref name="pending"/> will be completed once.</summary>
    /// <param name="waited">How much of the request's own timeout has gone by already.</param>
    public InferenceFailure? TryAdmit(InferenceRequest request, TimeSpan waited, CancellationToken cancellation, out PendingRequest pending)
    {
        pending = null!;
        if (Health.IsUnavailable) return Failures.Unavailable(Info.Name, Health.Current);
        pending = Pool.Rent();
        if (_validator.Validate(request, pending) is { } invalid) return Refuse(pending, invalid);
        if (TryRunInline(request, pending)) return null;
        if (_admission.TryEnter(request, pending, _batches, waited) is { } refused) return Refuse(pending, refused);
        pending.ParameterDigest = request.ParameterDigest;
        // Before anybody else can reach the request: whoever completes it ends its span.
        pending.Trace = RequestTrace.Start(pending, Services.Time);
        _deadlines.Add(pending);
        pending.WatchCancellation(cancellation);
        if (!Queue.TryWrite(pending)) return TakeBack(pending);
        _workers.Wake();
        // Seen by the one or the other: whoever finds the lane unavailable answers what waits.
        if (Health.IsUnavailable) FailWaiting();
        return null;
    }

    /// <summary>A request was abandoned: its place is free at once, though the channel may still hold it.</summary>
    public void OnAbandoned(PendingRequest request)
    {
        _admission.Leave(request);
        Interlocked.Increment(ref _abandoned);
        _deadlines.Remove(request);
    }

    public void OnClaimed(PendingRequest request) => _deadlines.Remove(request);

    /// <summary>A request's time at its priority is over: its deadline at the next lower one, null when it no longer waits.</summary>
    public long? TryDowngrade(PendingRequest request, long now) => _admission.TryDowngrade(request, now);

    /// <summary>Marks a worker idle. True when it must go on: work came meanwhile and nobody else took its bit.</summary>
    public bool Park(ulong bit)
    {
        _workers.Park(bit);
        if (Queue.HasWaiting) return _workers.TryUnpark(bit);
        SignalIfDrained();
        return false;
    }

    public LaneWorkers Workers => _workers;

    /// <summary>Callers' threads execute nothing more.</summary>
    public void StopInline() => _inline.TurnOff();

    /// <summary>A worker for the place of one whose call was given up, with its counters and log.</summary>
    public LaneWorker Successor(LaneWorker hung) => new(this, hung.Index, _model.CreateExecutor(), hung);

    /// <summary>The device is gone for this process: nothing is admitted from here on, and what waits is answered.</summary>
    public void OnDeviceLost(BackendFault fault)
    {
        Health.Report("device", ModelHealth.Unavailable, $"the device is lost, and only a new process gets it back ({fault.Code}): {fault.Detail}");
        FailWaiting();
    }

    /// <summary>A worker is gone for good: what waits is answered if the lane is unavailable.</summary>
    public void OnLost()
    {
        if (Health.IsUnavailable) FailWaiting();
        SignalIfDrained();
    }

    public void Watch(long now)
    {
        Hung.Watch(_workers.All, now);
        Recheck?.TerminateIfOverdue(now, (long)(Info.Options.ExecutionTimeout.TotalSeconds * Services.Time.TimestampFrequency));
    }

    public void FreeModel() => _model.Dispose();

    /// <summary>Admits nothing more, answers everything that was admitted, then frees the model, or leaves it to calls that were given up.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed = true;
        Hung.Close();
        Queue.Complete();
        _draining = true;
        _workers.EndAllCollecting();
        SignalIfDrained();
        await _drained.Task.ConfigureAwait(false);
        // A comparison that does not end may still touch the model: it is then left to the process's end.
        var isLeft = Recheck is not null && !await Recheck.TryDisposeAsync().ConfigureAwait(false);
        Services.Watchdog.Remove(this);
        _deadlines.Dispose();
        _workers.Dispose();
        if (!isLeft) Hung.FreeModel();
    }

    /// <summary>Executes the request on this thread when nothing else is in the lane; it is then completed.</summary>
    private bool TryRunInline(InferenceRequest request, PendingRequest pending)
    {
        if (!_workers.AreAllIdle || !_inline.Allows(pending, Load.Requests, Pool.Outstanding)) return false;
        if (!_workers.TryTakeWhileAllIdle(out var worker)) return false;
        // Closed before the bit was taken: the drain may have ended. Closed after: it waits for the bit.
        if (_closed)
        {
            worker.GiveBack();
            return false;
        }

        pending.ParameterDigest = request.ParameterDigest;
        pending.AdmittedAt = Services.Time.GetTimestamp();
        pending.Deadline = long.MaxValue;
        pending.Trace = RequestTrace.Start(pending, Services.Time);
        pending.ClaimAlone();
        var recheck = worker.RunInline(pending);
        pending.Signal();
        recheck?.Launch();
        return true;
    }

    private bool OnOwnThreads(TimeSpan slowest) => Info.Options.Placement switch
    {
        WorkerPlacement.ThreadPool => Info.Options.MaxQueueDelay > TimeSpan.Zero,
        WorkerPlacement.OwnThreads => true,
        // Longer calls would keep the pool's few threads from everybody else; shorter ones cost less than a thread switch would.
        _ => Info.Options.MaxQueueDelay > TimeSpan.Zero || slowest > ShortCall,
    };

    private WarmUpTimes WarmUp()
    {
        try
        {
            return _workers.All[0].WarmUp();
        }
        catch
        {
            Services.Watchdog.Remove(this);
            throw;
        }
    }

    private static InferenceFailure Refuse(PendingRequest pending, InferenceFailure failure)
    {
        pending.Discard();
        return failure;
    }

    /// <summary>The channel did not take the request: it is closed, or full of abandoned ones.</summary>
    private InferenceFailure? TakeBack(PendingRequest pending)
    {
        if (!pending.TryClaim())
        {
            // Cancelled meanwhile: the caller is being answered.
            pending.LetGo();
            return null;
        }

        _deadlines.Remove(pending);
        _admission.Leave(pending);
        pending.Failure = _closed ? Failures.NotReady(Info.Name) : Failures.QueueFull(Info.Name, "cancelled requests not yet cleared", _admission.Advice(_batches));
        pending.EndTrace();
        return Refuse(pending, pending.Failure);
    }

    // A look at the queue and a look at the workers are two: between them a worker can take a request, put back what did not
    // fit, or be woken late. With every bit in hand nobody executes or is let run, and what the queue shows then is final.
    private void SignalIfDrained()
    {
        if (!_draining || Queue.HasWaiting || !_workers.TryTakeAll()) return;
        if (Queue.HasWaiting) _workers.GiveBackAll();
        else _drained.TrySetResult();
    }

    private void FailWaiting()
    {
        while (Queue.TryTake(AnyFits.Instance, out var next) == Take.Taken) FailWaiting(next);
    }

    private void FailWaiting(PendingRequest next)
    {
        if (!next.TryClaim())
        {
            next.LetGo();
            return;
        }

        OnClaimed(next);
        Load.Release(1, next.Rows, next.Bytes);
        next.Failure = Failures.Unavailable(Info.Name, Health.Current);
        ThreadPool.UnsafeQueueUserWorkItem(next, preferLocal: false);
    }

    /// <summary>No batch: whatever is next is taken.</summary>
    private sealed class AnyFits : IBatchFit
    {
        public static readonly AnyFits Instance = new();

        public Fit Check(QueueEntry entry) => Fit.Yes;
    }
}
