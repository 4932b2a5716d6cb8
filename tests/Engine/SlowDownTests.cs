using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>A gate that slows down: requests wait on the clock, then go on as if nothing had been.</summary>
public sealed class SlowDownTests : IAsyncLifetime
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(3);

    private readonly FakeBackend _backend = new();
    private readonly ManualClock _clock = new();
    private readonly Gate _gate = new() { Advice = AdmissionAdvice.SlowDown(Delay) };
    private InferenceEngine _engine = null!;

    public async Task InitializeAsync()
    {
        _engine = new InferenceEngine(new InferenceEngineOptions { Backend = _backend, Time = _clock, Gate = _gate });
        await _engine.LoadModelAsync(FakeEngine.Options);
    }

    public async Task DisposeAsync() => await _engine.DisposeAsync();

    [Fact]
    public async Task Infer_Slowed_IsAdmittedAfterTheWaitAndAskedAboutOnce()
    {
        var calls = _backend.Calls;
        var waiting = Enumerable.Range(0, 500).Select(x => _engine.TryInferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        _clock.Advance(Delay - TimeSpan.FromMilliseconds(1));
        Assert.Equal(calls, _backend.Calls);
        Assert.DoesNotContain(waiting, task => task.IsCompleted); // and 500 of them hold no thread: this one has come so far
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        var outcomes = await Task.WhenAll(waiting);
        for (var x = 0; x < outcomes.Length; x++)
        {
            Assert.Equal(2f * x, outcomes[x].Result.Values<float>(0)[0]);
            outcomes[x].Result.Dispose();
        }

        Assert.Equal(500, _gate.Asked);
    }

    [Fact]
    public async Task InferThatThrows_Slowed_GivesTheResultToo()
    {
        var waiting = _engine.InferAsync(FakeEngine.Request(4)).AsTask();
        _clock.Advance(Delay);
        using var result = await waiting;
        Assert.Equal(8f, result.Values<float>(0)[0]);
    }

    [Fact]
    public async Task Infer_TimeoutShorterThanTheWait_IsToldAtOnce()
    {
        var failure = await Engines.Failure(_engine, FakeEngine.Request(1, Delay));
        Assert.Equal((InferenceFailureKind.TrustGapExceeded, Delay), (failure.Kind, failure.RetryAfter));
    }

    [Fact]
    public async Task Infer_TimeoutLongerThanTheWait_HasWhatIsLeft()
    {
        _backend.CloseGate();
        _gate.Advice = default;
        var running = _engine.TryInferAsync(FakeEngine.Request(1)).AsTask();
        await _backend.Arrived.WaitAsync();
        _gate.Advice = AdmissionAdvice.SlowDown(Delay);
        var slowed = _engine.TryInferAsync(FakeEngine.Request(2, Delay + TimeSpan.FromSeconds(1))).AsTask();
        _clock.Advance(Delay);
        while (_engine.Statistics("fake")!.Waiting == 0) await Task.Delay(1); // its continuation runs on the pool
        Assert.False(slowed.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(InferenceFailureKind.DeadlineExceeded, (await slowed).Failure!.Kind);
        _backend.OpenGate();
        (await running).Result.Dispose();
    }

    [Fact]
    public async Task Infer_CancelledWhileSlowed_IsAnsweredAtOnce()
    {
        using var cancellation = new CancellationTokenSource();
        var slowed = _engine.TryInferAsync(FakeEngine.Request(1), cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        Assert.Equal(InferenceFailureKind.Cancelled, (await slowed).Failure!.Kind);
    }

    [Fact]
    public async Task Dispose_WhileRequestsAreSlowed_AnswersThem()
    {
        var slowed = _engine.TryInferAsync(FakeEngine.Request(1)).AsTask();
        await _engine.DisposeAsync();
        Assert.Equal(InferenceFailureKind.ShuttingDown, (await slowed).Failure!.Kind);
        Assert.Equal(InferenceFailureKind.ShuttingDown, (await Engines.Failure(_engine, FakeEngine.Request(1))).Kind);
    }

    [Fact]
    public async Task Infer_MoreThanMayWait_AreRefusedAndThePlacesComeBack()
    {
        const int Most = 4096;
        using var cancellation = new CancellationTokenSource();
        var slowed = Enumerable.Range(0, Most).Select(x => _engine.TryInferAsync(FakeEngine.Request(x), cancellation.Token).AsTask()).ToArray();
        var refused = await Engines.Failure(_engine, FakeEngine.Request(1));
        Assert.Equal((InferenceFailureKind.TrustGapExceeded, Delay), (refused.Kind, refused.RetryAfter));
        await cancellation.CancelAsync();
        Assert.All(await Task.WhenAll(slowed), outcome => Assert.Equal(InferenceFailureKind.Cancelled, outcome.Failure!.Kind));
        var next = _engine.TryInferAsync(FakeEngine.Request(5)).AsTask();
        Assert.False(next.IsCompleted);
        _clock.Advance(Delay);
        (await next).Result.Dispose();
    }

    private sealed class Gate : IAdmissionGate
    {
        private int _asked;

        public AdmissionAdvice Advice { get; set; }

        public int Asked => _asked;

        public TimeSpan? RetryAfter() => throw new InvalidOperationException("the engine asks for advice");

        public AdmissionAdvice Advise()
        {
            Interlocked.Increment(ref _asked);
            return Advice;
        }
    }
}
