namespace OpenGradient.Engine.Engine.Tests;

/// <summary>The queue through the whole engine: one worker, held at the backend's gate while requests pile up, and a clock of its own.</summary>
public sealed class QueueTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly FakeBackend _backend = new();
    private readonly ManualClock _clock = new();
    private readonly List<float> _executed = [];
    private InferenceEngine _engine = null!;

    public Task InitializeAsync()
    {
        _engine = new InferenceEngine(new InferenceEngineOptions { Backend = _backend, Time = _clock });
        _backend.Executing = rows =>
        {
            lock (_executed) _executed.AddRange(rows);
        };
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _backend.OpenGate();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Infer_SeveralPriorities_HigherAreExecutedFirst()
    {
        var running = await Block(Single);
        Task<InferenceOutcome>[] waiting = [Ask(1, RequestPriority.Low), Ask(2), Ask(3, RequestPriority.High), Ask(4, RequestPriority.High)];
        await Release([running, .. waiting]);
        Assert.Equal<float>([3, 4, 2, 1], Executed());
    }

    [Fact]
    public async Task Infer_OneCallerHoldsThousands_AnothersSingleIsInTheNextBatch()
    {
        var running = await Block(FakeEngine.Options with { MaxBatch = 8, MaxQueuedRequests = 4096, MaxCallerShare = 1 });
        var greedy = Enumerable.Range(0, 4000).Select(x => Ask(x, caller: "greedy")).ToArray();
        var modest = Ask(9000, caller: "modest");
        await Release([running, modest, .. greedy]);
        Assert.InRange(Executed().IndexOf(9000), 0, 7);
    }

    [Fact]
    public async Task Infer_AnonymousCallerHoldsThousands_ANamedOnesSingleIsInTheNextBatch()
    {
        var running = await Block(FakeEngine.Options with { MaxBatch = 8 });
        var anonymous = Enumerable.Range(0, 1000).Select(x => Ask(x)).ToArray();
        var named = Ask(9000, caller: "named");
        await Release([running, named, .. anonymous]);
        Assert.InRange(Executed().IndexOf(9000), 0, 7);
    }

    [Fact]
    public async Task Infer_CallerHoldsItsShare_IsRefusedByNameAndFreedByCancellation()
    {
        var running = await Block(Single with { MaxQueuedRequests = 4 });
        using var cancellation = new CancellationTokenSource();
        var waiting = new[] { Ask(1, caller: "a"), Ask(2, caller: "a", cancellation: cancellation.Token) };
        var failure = await RefusedAtOnce(Ask(3, caller: "a"));
        Assert.Equal(InferenceFailureKind.QueueFull, failure.Kind);
        Assert.Contains("2 requests of caller 'a'", failure.Message, StringComparison.Ordinal);
        var other = Ask(4, caller: "b");
        await cancellation.CancelAsync();
        Assert.Equal(InferenceFailureKind.Cancelled, (await waiting[1]).Failure!.Kind);
        var again = Ask(5, caller: "a");
        await Release([running, waiting[0], other, again]);
        Assert.Equal(0, _engine.Statistics("fake")!.Waiting);
    }

    [Fact]
    public async Task Infer_PriorityHasItsLimit_IsRefusedByName()
    {
        var running = await Block(Single with { QueuePolicies = new QueuePolicies { Low = new QueuePolicy { MaxQueuedRequests = 1 } } });
        var low = Ask(1, RequestPriority.Low);
        var failure = await RefusedAtOnce(Ask(2, RequestPriority.Low));
        Assert.Equal(InferenceFailureKind.QueueFull, failure.Kind);
        Assert.Contains("1 requests of low priority", failure.Message, StringComparison.Ordinal);
        await Release([running, low, Ask(3)]);
    }

    [Fact]
    public async Task Infer_DefaultTimeoutThatRejects_EndsTheWait()
    {
        var running = await Block(Single with { QueuePolicies = new QueuePolicies { Normal = new QueuePolicy { DefaultTimeout = TimeSpan.FromSeconds(1) } } });
        var waiting = Ask(1);
        var own = Ask(2, timeout: Long);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(InferenceFailureKind.DeadlineExceeded, (await waiting).Failure!.Kind);
        await Release([running, own]);
    }

    [Fact]
    public async Task Infer_DefaultTimeoutThatDowngrades_GoesBehindTheLowerPriority()
    {
        var running = await Block(Single with { QueuePolicies = Downgrading });
        var high = Ask(1, RequestPriority.High);
        var normal = Ask(2);
        _clock.Advance(TimeSpan.FromSeconds(2));
        var later = Ask(3, RequestPriority.High);
        await Release([running, high, normal, later]);
        Assert.Equal<float>([3, 2, 1], Executed());
    }

    [Fact]
    public async Task Infer_TimeAtTheLowerPriorityOver_IsRejected()
    {
        var running = await Block(Single with { QueuePolicies = Downgrading with { Normal = new QueuePolicy { DefaultTimeout = TimeSpan.FromSeconds(5) } } });
        var high = Ask(1, RequestPriority.High);
        _clock.Advance(TimeSpan.FromSeconds(2));
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.False(high.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(InferenceFailureKind.DeadlineExceeded, (await high).Failure!.Kind);
        await Release([running]);
    }

    [Fact]
    public async Task Infer_WorkBeforeItTakesLongerThanItsTimeout_IsRefusedAtOnceWithAdvice()
    {
        await LoadWithCallsOf(TimeSpan.FromSeconds(1));
        _backend.CloseGate();
        var running = Ask(0);
        await _backend.Arrived.WaitAsync();
        var waiting = Enumerable.Range(1, 5).Select(x => Ask(x)).ToArray();

        var refused = await RefusedAtOnce(Ask(6, timeout: TimeSpan.FromSeconds(2)));
        Assert.Equal(InferenceFailureKind.WouldMissDeadline, refused.Kind);
        Assert.Contains("2000 ms", refused.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(3), refused.RetryAfter);

        // In time: more time, a priority before those that wait, a caller who has had no turn yet.
        Task<InferenceOutcome>[] admitted =
        [
            Ask(7, timeout: TimeSpan.FromSeconds(20)), Ask(8, RequestPriority.High, timeout: TimeSpan.FromSeconds(2)),
            Ask(9, caller: "other", timeout: TimeSpan.FromSeconds(3)),
        ];
        SetCallTime(TimeSpan.Zero);
        await Release([running, .. waiting, .. admitted]);
        Assert.Equal(0, _engine.Statistics("fake")!.Waiting);
    }

    [Fact]
    public async Task Infer_NothingWaits_IsAdmittedWhateverTheEstimate()
    {
        await LoadWithCallsOf(TimeSpan.FromHours(1));
        using var result = await _engine.InferAsync(FakeEngine.Request(1, TimeSpan.FromMilliseconds(1)));
        Assert.Equal(2f, result.Values<float>(0)[0]);
    }

    [Fact]
    public async Task Infer_EstimateFromASlowTime_IsForgottenByWhatIsExecuted()
    {
        await LoadWithCallsOf(TimeSpan.FromHours(1));
        SetCallTime(TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 100; i++) (await _engine.InferAsync(FakeEngine.Request(i))).Dispose();
        _backend.CloseGate();
        var running = Ask(0);
        await _backend.Arrived.WaitAsync();
        Task<InferenceOutcome>[] waiting = [Ask(1), Ask(2, timeout: TimeSpan.FromSeconds(1))];
        await Release([running, .. waiting]);
    }

    [Fact]
    public void Validate_PoliciesThatCannotBeKept_AreRefusedByName()
    {
        void Refused(QueuePolicies policies, string says) =>
            Assert.Contains(says, Assert.Throws<ArgumentException>((Single with { QueuePolicies = policies }).Validate).Message, StringComparison.Ordinal);

        var downgrading = new QueuePolicy { DefaultTimeout = Long, OnTimeout = QueueTimeoutAction.Downgrade };
        Refused(new QueuePolicies { Low = downgrading }, "no lower priority");
        Refused(new QueuePolicies { High = downgrading with { DefaultTimeout = null } }, "QueuePolicies.High.OnTimeout needs a DefaultTimeout");
        Refused(new QueuePolicies { Normal = new QueuePolicy { MaxQueuedRequests = 0 } }, "QueuePolicies.Normal.MaxQueuedRequests");
        Refused(new QueuePolicies { Normal = new QueuePolicy { DefaultTimeout = TimeSpan.Zero } }, "QueuePolicies.Normal.DefaultTimeout");
        Assert.Throws<ArgumentException>((Single with { MaxCallerShare = 0 }).Validate);
        Assert.Throws<ArgumentOutOfRangeException>(() => FakeEngine.Request(1).Priority = (RequestPriority)3);
    }

    private static ModelOptions Single => FakeEngine.Options with { MaxBatch = 1, ExecutionTimeout = TimeSpan.FromDays(1) };

    private static QueuePolicies Downgrading =>
        new() { High = new QueuePolicy { DefaultTimeout = TimeSpan.FromSeconds(1), OnTimeout = QueueTimeoutAction.Downgrade } };

    private async Task LoadWithCallsOf(TimeSpan time)
    {
        await _engine.LoadModelAsync(Single);
        SetCallTime(time);
        (await _engine.InferAsync(FakeEngine.Request(0))).Dispose();
    }

    private void SetCallTime(TimeSpan time) => _backend.Executing = _ => _clock.Advance(time);

    private Task<InferenceOutcome> Ask(float x, RequestPriority priority = RequestPriority.Normal, string? caller = null, TimeSpan? timeout = null, CancellationToken cancellation = default)
    {
        var request = FakeEngine.Request(x);
        request.Priority = priority;
        request.Caller = caller;
        request.Timeout = timeout;
        return _engine.TryInferAsync(request, cancellation).AsTask();
    }

    private static async Task<InferenceFailure> RefusedAtOnce(Task<InferenceOutcome> asked)
    {
        Assert.True(asked.IsCompleted, "the request was admitted");
        return (await asked).Failure!;
    }

    private async Task<Task<InferenceOutcome>> Block(ModelOptions options)
    {
        await _engine.LoadModelAsync(options);
        lock (_executed) _executed.Clear();
        _backend.CloseGate();
        var running = Ask(-100);
        await _backend.Arrived.WaitAsync();
        return running;
    }

    private List<float> Executed()
    {
        lock (_executed) return [.. _executed.Where(x => x is > 0)];
    }

    private async Task Release(Task<InferenceOutcome>[] tasks)
    {
        _backend.OpenGate();
        foreach (var outcome in await Task.WhenAll(tasks))
        {
            Assert.True(outcome.IsSuccess, outcome.Failure?.Message);
            outcome.Result.Dispose();
        }
    }
}
