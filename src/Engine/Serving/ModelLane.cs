using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Serving;

/// <summary>What the lanes of an engine share.</summary>
internal sealed record LaneServices(TimeProvider Time, IBatchSealer? Sealer, ISealedBatchSink? Sink)
{
    public Watchdog Watchdog { get; } = new(Time);

    public ActiveLanes Active { get; } = new();
}

/// <summary>
/// One loaded model's way through the engine: bounded admission, one channel, as many workers as cores. A worker is idle (its
/// bit set), or is running and looks at the channel once more after setting its bit, so no request is left behind.
/// </summary>
internal sealed class ModelLane : IAsyncDisposable
{
    // Abandoned requests stay in the channel until a worker meets them, hence room for as many again.
    private const int ChannelSlack = 2;

    private readonly IBackendModel _model;
    private readonly Channel<PendingRequest> _queue;
    private readonly RequestValidator _validator;
    private readonly DeadlineList _deadlines;
    private readonly LaneWorker[] _workers;
    private readonly InlineExecution _inline;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The bits of the workers there are: a hung call may cost one.
    private ulong _allIdle;

    // Bit per worker: waits for work.
    private ulong _idle;

    // Bit per worker: holds a batch that is not full and waits for more rows (queue delay).
    private ulong _collecting;
    private int _waiting;
    private long _waitingBytes;
    private int _executing;
    private long _abandoned;
    private volatile bool _closed;
    private volatile bool _batches;

    public ModelLane(ModelInfo info, ModelShape shape, IBackendModel model, LaneServices services)
    {
        Info = info;
        Shape = shape;
        Services = services;
        _model = model;
        _batches = info.IsBatchable;
        Pool = new RequestPool(this, info.Options.MaxQueuedRequests);
        _validator = new RequestValidator(info, shape);
        _deadlines = new DeadlineList(services.Time);
        _inline = new InlineExecution(info.Options);
        Hung = new HungCalls(this);
        _queue = Channel.CreateBounded<PendingRequest>(new BoundedChannelOptions(info.Options.MaxQueuedRequests * ChannelSlack));
        _workers = new LaneWorker[info.Options.WorkerCount];
        _allIdle = _workers.Length == 64 ? ulong.MaxValue : (1ul << _workers.Length) - 1;
        for (var i = 0; i < _workers.Length; i++) _workers[i] = new LaneWorker(this, i, model.CreateExecutor());
    }

    /// <summary>Changed once, by <see cref="Start"/>, before anything is admitted.</summary>
    public ModelInfo Info { get; private set; }

    public ModelShape Shape { get; }

    public LaneServices Services { get; }

    public LaneHealth Health { get; } = new();

    public HungCalls Hung { get; }

    public RequestPool Pool { get; }

    /// <summary>Batches whose callers have all been completed, for the next ones.</summary>
    public ConcurrentQueue<CompletionBatch> Completions { get; } = new();

    public ChannelReader<PendingRequest> Queue => _queue.Reader;

    public bool IsClosed => _closed;

    /// <summary>Whether requests share calls. Turned off for good when the outputs turn out not to follow the rows.</summary>
    public bool Batches => _batches;

    public ModelStatistics Statistics =>
        WorkerCounters.Sum(_workers.Select(worker => worker.Counters), Volatile.Read(ref _abandoned), Volatile.Read(ref _waiting), Services.Time)
            with { HungCalls = Hung.Total };

    /// <summary>
    /// A worker's share of the requests in the lane, waiting or executing. Taking no more leaves the others theirs, so that all
    /// cores work on batches of about equal size; whoever takes all it can see leaves its neighbours small batches, which
    /// cost more per row.
    /// </summary>
    public int Share
    {
        get
        {
            var workers = Services.Active.WorkersFor(_workers.Length);
            return (Volatile.Read(ref _waiting) + Volatile.Read(ref _executing) + workers - 1) / workers;
        }
    }

    public void OnExecuting(int requests) => Interlocked.Add(ref _executing, requests);

    public void StopBatching() => _batches = false;

    /// <summary>Executes and checks the model, then opens the lane. Nothing may be admitted before.</summary>
    public void Start()
    {
        Services.Watchdog.Add(this);
        var times = WarmUp();
        if (!_batches) Info = Info with { IsBatchable = false };
        foreach (var worker in _workers) worker.Start(OnOwnThreads(times.Largest));
        _inline.Measured(times);
        Hung.Open();
        Interlocked.Exchange(ref _idle, _allIdle);
    }

    /// <summary>Null: the request is admitted and <paramref name="pending"/> will be completed once.</summary>
    public InferenceFailure? TryAdmit(InferenceRequest request, CancellationToken cancellation, out PendingRequest pending)
    {
        pending = null!;
        if (Health.IsUnavailable) return Failures.Unavailable(Info.Name, Health.Current);
        pending = Pool.Rent();
        if (_validator.Validate(request, pending) is { } invalid) return Refuse(pending, invalid);
        if (TryRunInline(request, pending)) return null;
        if (Reserve(pending.Bytes) is { } full) return Refuse(pending, full);
        pending.ParameterDigest = request.ParameterDigest;
        pending.AdmittedAt = Services.Time.GetTimestamp();
        pending.Deadline = DeadlineOf(request.Timeout, pending.AdmittedAt);
        _deadlines.Add(pending);
        pending.WatchCancellation(cancellation);
        if (!_queue.Writer.TryWrite(pending)) return TakeBack(pending);
        Wake();
        // Seen by the one or the other: whoever finds the lane unavailable answers what waits.
        if (Health.IsUnavailable) FailWaiting();
        return null;
    }

    /// <summary>A request was abandoned: its place is free at once, though the channel still holds it.</summary>
    public void OnAbandoned(PendingRequest request)
    {
        Unreserve(1, request.Bytes);
        Interlocked.Increment(ref _abandoned);
        _deadlines.Remove(request);
    }

    public void OnClaimed(PendingRequest request) => _deadlines.Remove(request);

    public void Unreserve(int requests, long bytes)
    {
        Interlocked.Add(ref _waiting, -requests);
        Interlocked.Add(ref _waitingBytes, -bytes);
    }

    /// <summary>Marks a worker idle. True when it must go on: work came meanwhile and nobody else took its bit.</summary>
    public bool Park(ulong bit)
    {
        if ((Interlocked.Or(ref _idle, bit) | bit) == _allIdle) Services.Active.Leave();
        if (_queue.Reader.Count > 0) return TryTake(ref _idle, bit);
        SignalIfDrained();
        return false;
    }

    /// <summary>Marks a worker as holding a batch that waits for more rows.</summary>
    public void BeginCollecting(ulong bit) => Interlocked.Or(ref _collecting, bit);

    /// <summary>True when the worker's signal has been or will be given, false when nobody took its bit.</summary>
    public bool EndCollecting(ulong bit) => (Interlocked.And(ref _collecting, ~bit) & bit) == 0;

    /// <summary>Callers' threads execute nothing more.</summary>
    public void StopInline() => _inline.TurnOff();

    /// <summary>Workers whose calls were given up and that nobody replaced.</summary>
    public IEnumerable<LaneWorker> Lost => _workers.Where(worker => worker.IsGivenUp);

    /// <summary>Puts a fresh worker in the place of one whose call was given up. On its own thread: the next call may hang too.</summary>
    public void Replace(LaneWorker hung)
    {
        var fresh = new LaneWorker(this, hung.Index, _model.CreateExecutor(), hung);
        _workers[hung.Index] = fresh;
        Interlocked.Or(ref _allIdle, 1ul << hung.Index);
        fresh.Start(ownThread: true);
        fresh.Schedule();
    }

    public bool HasOthers(LaneWorker hung) => (Volatile.Read(ref _allIdle) & ~(1ul << hung.Index)) != 0;

    /// <summary>Goes on without a worker whose call was given up. What it held is answered, and what waits if the lane is unavailable.</summary>
    public void Lose(LaneWorker hung)
    {
        Interlocked.And(ref _allIdle, ~(1ul << hung.Index));
        if (hung.TakeHeldOver() is { } heldOver) FailWaiting(heldOver);
        if (Health.IsUnavailable) FailWaiting();
        SignalIfDrained();
    }

    public void Watch(long now) => Hung.Watch(_workers, now);

    public void FreeModel() => _model.Dispose();

    /// <summary>Admits nothing more, answers everything that was admitted, then frees the model, or leaves it to calls that were given up.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed = true;
        Hung.Close();
        _queue.Writer.TryComplete();
        while (WakeFrom(ref _collecting))
        {
            // Whoever waits for more rows will get none.
        }

        SignalIfDrained();
        await _drained.Task.ConfigureAwait(false);
        Services.Watchdog.Remove(this);
        _deadlines.Dispose();
        foreach (var worker in _workers.Where(worker => !worker.IsGivenUp)) worker.Dispose();
        Hung.FreeModel();
    }

    /// <summary>Executes the request on this thread when nothing else is in the lane; it is then completed.</summary>
    private bool TryRunInline(InferenceRequest request, PendingRequest pending)
    {
        if (Volatile.Read(ref _idle) != _allIdle || !_inline.Allows(pending, Volatile.Read(ref _waiting), Pool.Outstanding)) return false;
        var bit = _allIdle & (~_allIdle + 1);
        if (Interlocked.CompareExchange(ref _idle, _allIdle & ~bit, _allIdle) != _allIdle) return false;
        Services.Active.Enter();
        var worker = _workers[BitOperations.TrailingZeroCount(bit)];
        // Closed before the bit was taken: the drain may have ended. Closed after: it waits for the bit.
        if (_closed)
        {
            if (Park(bit)) worker.Schedule();
            return false;
        }

        pending.ParameterDigest = request.ParameterDigest;
        pending.AdmittedAt = Services.Time.GetTimestamp();
        pending.Deadline = long.MaxValue;
        pending.ClaimAlone();
        worker.RunInline(pending);
        pending.Signal();
        return true;
    }

    private bool OnOwnThreads(TimeSpan slowest) => Info.Options.Placement switch
    {
        WorkerPlacement.ThreadPool => Info.Options.MaxQueueDelay > TimeSpan.Zero,
        WorkerPlacement.OwnThreads => true,
        // Longer calls would keep the pool's few threads from everybody else; shorter ones cost less than a thread switch would.
        _ => Info.Options.MaxQueueDelay > TimeSpan.Zero || slowest > TimeSpan.FromMilliseconds(2),
    };

    private WarmUpTimes WarmUp()
    {
        try
        {
            return _workers[0].WarmUp();
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

    private InferenceFailure? Reserve(long bytes)
    {
        if (Interlocked.Increment(ref _waiting) > Info.Options.MaxQueuedRequests)
        {
            Interlocked.Decrement(ref _waiting);
            return Failures.QueueFull(Info.Name, $"{Info.Options.MaxQueuedRequests} requests", RetryAdvice());
        }

        if (Interlocked.Add(ref _waitingBytes, bytes) <= Info.Options.MaxQueuedBytes) return null;
        Unreserve(1, bytes);
        return Failures.QueueFull(Info.Name, $"{Info.Options.MaxQueuedBytes} bytes", RetryAdvice());
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
        Unreserve(1, pending.Bytes);
        return Refuse(pending, _closed ? Failures.NotReady(Info.Name) : Failures.QueueFull(Info.Name, "cancelled requests not yet cleared", RetryAdvice()));
    }

    private long DeadlineOf(TimeSpan? timeout, long now)
    {
        if (timeout is not { } limit) return long.MaxValue;
        var ticks = limit.TotalSeconds * Services.Time.TimestampFrequency;
        return ticks >= long.MaxValue - now ? long.MaxValue : now + (long)ticks;
    }

    /// <summary>The time in which the workers empty half of what waits now, from their mean time per row.</summary>
    private TimeSpan RetryAdvice()
    {
        var done = Statistics;
        var perRequest = done.Requests == 0 ? TimeSpan.FromMilliseconds(1) : done.Execute / done.Requests;
        var advice = perRequest * (Volatile.Read(ref _waiting) / 2.0) / _workers.Length;
        return advice < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : advice;
    }

    private void Wake()
    {
        if (Volatile.Read(ref _collecting) != 0 && WakeFrom(ref _collecting)) return;
        if (Volatile.Read(ref _idle) != 0) WakeFrom(ref _idle);
    }

    private bool WakeFrom(ref ulong workers)
    {
        for (ulong seen; (seen = Volatile.Read(ref workers)) != 0;)
        {
            var bit = seen & (~seen + 1);
            if (!TryTake(ref workers, bit)) continue;
            _workers[BitOperations.TrailingZeroCount(bit)].Schedule();
            return true;
        }

        return false;
    }

    private bool TryTake(ref ulong workers, ulong bit)
    {
        var before = Interlocked.And(ref workers, ~bit);
        // A collecting worker is not idle, so its lane is counted already; with a single bit both words can look alike.
        if (before == _allIdle && Unsafe.AreSame(ref workers, ref _idle)) Services.Active.Enter();
        return (before & bit) != 0;
    }

    private void SignalIfDrained()
    {
        if (_closed && _queue.Reader.Count == 0 && Volatile.Read(ref _idle) == _allIdle) _drained.TrySetResult();
    }

    private void FailWaiting()
    {
        while (_queue.Reader.TryRead(out var next)) FailWaiting(next);
    }

    private void FailWaiting(PendingRequest next)
    {
        if (!next.TryClaim())
        {
            next.LetGo();
            return;
        }

        OnClaimed(next);
        Unreserve(1, next.Bytes);
        next.Failure = Failures.Unavailable(Info.Name, Health.Current);
        ThreadPool.UnsafeQueueUserWorkItem(next, preferLocal: false);
    }

}
