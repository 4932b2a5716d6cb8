using System.Collections.Concurrent;
using System.Numerics;
using System.Threading.Channels;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Serving;

/// <summary>What the lanes of an engine share.</summary>
internal sealed record LaneServices(TimeProvider Time, IBatchSealer? Sealer, ISealedBatchSink? Sink);

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
    private readonly ITimer _watchdog;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ulong _allIdle;

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
        _queue = Channel.CreateBounded<PendingRequest>(new BoundedChannelOptions(info.Options.MaxQueuedRequests * ChannelSlack));
        _workers = new LaneWorker[info.Options.WorkerCount];
        _allIdle = _workers.Length == 64 ? ulong.MaxValue : (1ul << _workers.Length) - 1;
        for (var i = 0; i < _workers.Length; i++) _workers[i] = new LaneWorker(this, i, model.CreateExecutor());

        var period = TimeSpan.FromTicks(Math.Clamp(info.Options.ExecutionTimeout.Ticks / 4, TimeSpan.TicksPerMillisecond * 10, TimeSpan.TicksPerSecond));
        _watchdog = services.Time.CreateTimer(static state => ((ModelLane)state!).Watch(), this, period, period);
    }

    /// <summary>Changed once, by <see cref="Start"/>, before anything is admitted.</summary>
    public ModelInfo Info { get; private set; }

    public ModelShape Shape { get; }

    public LaneServices Services { get; }

    public LaneHealth Health { get; } = new();

    public RequestPool Pool { get; }

    /// <summary>Batches whose callers have all been completed, for the next ones.</summary>
    public ConcurrentQueue<CompletionBatch> Completions { get; } = new();

    public ChannelReader<PendingRequest> Queue => _queue.Reader;

    public bool IsClosed => _closed;

    /// <summary>Whether requests share calls. Turned off for good when the outputs turn out not to follow the rows.</summary>
    public bool Batches => _batches;

    public ModelStatistics Statistics =>
        WorkerCounters.Sum(_workers.Select(worker => worker.Counters), Volatile.Read(ref _abandoned), Volatile.Read(ref _waiting), Services.Time);

    /// <summary>
    /// A worker's share of the requests in the lane, waiting or executing. Taking no more leaves the others theirs, so that all
    /// cores work on batches of about equal size; whoever takes all it can see leaves its neighbours small batches, which
    /// cost more per row.
    /// </summary>
    public int Share => (Volatile.Read(ref _waiting) + Volatile.Read(ref _executing) + _workers.Length - 1) / _workers.Length;

    public void OnExecuting(int requests) => Interlocked.Add(ref _executing, requests);

    public void StopBatching() => _batches = false;

    /// <summary>Executes and checks the model, then opens the lane. Nothing may be admitted before.</summary>
    public void Start()
    {
        var slowest = _workers[0].WarmUp();
        if (!_batches) Info = Info with { IsBatchable = false };
        foreach (var worker in _workers) worker.Start(OnOwnThreads(slowest));
        Interlocked.Exchange(ref _idle, _allIdle);
    }

    /// <summary>Null: the request is admitted and <paramref name="pending"/> will be completed once.</summary>
    public InferenceFailure? TryAdmit(InferenceRequest request, CancellationToken cancellation, out PendingRequest pending)
    {
        pending = Pool.Rent();
        if (_validator.Validate(request, pending) is { } invalid) return Refuse(pending, invalid);
        if (Reserve(pending.Bytes) is { } full) return Refuse(pending, full);
        pending.ParameterDigest = request.ParameterDigest;
        pending.AdmittedAt = Services.Time.GetTimestamp();
        pending.Deadline = DeadlineOf(request.Timeout, pending.AdmittedAt);
        _deadlines.Add(pending);
        pending.WatchCancellation(cancellation);
        if (!_queue.Writer.TryWrite(pending)) return TakeBack(pending);
        Wake();
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
        Interlocked.Or(ref _idle, bit);
        if (_queue.Reader.Count > 0) return (Interlocked.And(ref _idle, ~bit) & bit) != 0;
        SignalIfDrained();
        return false;
    }

    /// <summary>Marks a worker as holding a batch that waits for more rows.</summary>
    public void BeginCollecting(ulong bit) => Interlocked.Or(ref _collecting, bit);

    /// <summary>True when the worker's signal has been or will be given, false when nobody took its bit.</summary>
    public bool EndCollecting(ulong bit) => (Interlocked.And(ref _collecting, ~bit) & bit) == 0;

    /// <summary>Admits nothing more, answers everything that was admitted, then frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed = true;
        _queue.Writer.TryComplete();
        while (WakeFrom(ref _collecting))
        {
            // Whoever waits for more rows will get none.
        }

        SignalIfDrained();
        await _drained.Task.ConfigureAwait(false);
        await _watchdog.DisposeAsync().ConfigureAwait(false);
        _deadlines.Dispose();
        foreach (var worker in _workers) worker.Dispose();
        _model.Dispose();
    }

    private bool OnOwnThreads(TimeSpan slowest) => Info.Options.Placement switch
    {
        WorkerPlacement.ThreadPool => Info.Options.MaxQueueDelay > TimeSpan.Zero,
        WorkerPlacement.OwnThreads => true,
        // Longer calls would keep the pool's few threads from everybody else; shorter ones cost less than a thread switch would.
        _ => Info.Options.MaxQueueDelay > TimeSpan.Zero || slowest > TimeSpan.FromMilliseconds(2),
    };

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
            if ((Interlocked.And(ref workers, ~bit) & bit) == 0) continue;
            _workers[BitOperations.TrailingZeroCount(bit)].Schedule();
            return true;
        }

        return false;
    }

    private void SignalIfDrained()
    {
        if (_closed && _queue.Reader.Count == 0 && Volatile.Read(ref _idle) == _allIdle) _drained.TrySetResult();
    }

    private void Watch()
    {
        var now = Services.Time.GetTimestamp();
        foreach (var worker in _workers) worker.TerminateIfOverdue(now);
    }
}
