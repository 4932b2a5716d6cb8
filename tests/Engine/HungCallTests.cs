namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Backend calls that ignore their termination.</summary>
public sealed class HungCallTests
{
    private static readonly ModelOptions Options = FakeEngine.Options with
    {
        ExecutionTimeout = TimeSpan.FromSeconds(1), // for the calls too that end
        TerminationGrace = TimeSpan.FromMilliseconds(200),
    };

    [Theory]
    [InlineData(WorkerPlacement.ThreadPool)]
    [InlineData(WorkerPlacement.OwnThreads)]
    public async Task Infer_CallThatIgnoresTermination_IsAnsweredAndItsWorkerReplaced(WorkerPlacement placement)
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { Placement = placement });
        var failure = await Engines.Failure(engine, FakeEngine.Request(FakeBackend.Endless));
        Assert.Equal(InferenceFailureKind.ExecutionTimeout, failure.Kind);
        Assert.Contains("1000 ms", failure.Message);

        var health = engine.Health("fake")!;
        Assert.Equal(ModelHealth.Degraded, health.Health);
        Assert.Contains("terminated", Assert.Single(health.Reasons));
        Assert.Equal(1, engine.Statistics("fake")!.HungCalls);
        await AssertServes(engine);
        // The probe's at load.
        var freed = backend.FreedExecutors;

        backend.EndEndlessCalls();
        await Eventually(() => engine.Health("fake")!.Health == ModelHealth.Ready);
        Assert.Equal(freed + 1, backend.FreedExecutors);
        await AssertServes(engine);
    }

    [Fact]
    public async Task Infer_NeighboursOfAHungCall_AreAnswered()
    {
        var (backend, time) = (new FakeBackend(), new HeldTime());
        await using var engine = FakeEngine.Create(backend, time: time);
        await engine.LoadModelAsync(Options);
        var outcomes = await Together(engine, backend, time, 1, FakeBackend.Endless, 3);
        Assert.All(outcomes, outcome => Assert.Equal(InferenceFailureKind.ExecutionTimeout, outcome.Failure?.Kind));
        await AssertServes(engine);
        backend.EndEndlessCalls();
    }

    [Fact]
    public async Task Infer_HungCallWhileABatchIsSplit_KeepsTheAnswersBeforeIt()
    {
        var (backend, time) = (new FakeBackend(), new HeldTime());
        await using var engine = FakeEngine.Create(backend, time: time);
        await engine.LoadModelAsync(Options);
        var outcomes = await Together(engine, backend, time, 1, FakeBackend.Poison, FakeBackend.Endless, 4);
        Assert.Equal(
            [null, InferenceFailureKind.BackendFailed, InferenceFailureKind.ExecutionTimeout, InferenceFailureKind.ExecutionTimeout],
            outcomes.Select(outcome => outcome.Failure?.Kind));
        Assert.Equal(2f, outcomes[0].Result.Values<float>(0)[0]);
        outcomes[0].Result.Dispose();
        backend.EndEndlessCalls();
    }

    [Fact]
    public async Task Infer_RequestHeldOverByAHungWorker_IsAnsweredByItsSuccessor()
    {
        var (backend, time) = (new FakeBackend(), new HeldTime());
        await using var engine = FakeEngine.Create(backend, time: time);
        await engine.LoadModelAsync(Options with { MaxBatch = 2 });
        time.Hold();
        backend.CloseGate();
        var first = engine.TryInferAsync(FakeEngine.Request(0)).AsTask();
        await backend.Arrived.WaitAsync();
        var endless = engine.TryInferAsync(FakeEngine.Request(FakeBackend.Endless)).AsTask();
        // Two rows do not fit beside one.
        var heldOver = engine.InferAsync(new InferenceRequest("fake").Add<float>("x", [2, 1], new float[] { 5, 6 })).AsTask();
        time.Go();
        backend.OpenGate();
        Assert.Equal(InferenceFailureKind.ExecutionTimeout, (await endless).Failure?.Kind);
        using (var result = await heldOver) Assert.Equal([10f, 12f], result.Values<float>(0).ToArray());
        await first;
        backend.EndEndlessCalls();
    }

    [Fact]
    public async Task Infer_MoreHungCallsThanTheBound_MakeTheModelUnavailableUntilTheyReturn()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { MaxHungCalls = 1, MaxBatch = 1 });
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => engine.TryInferAsync(FakeEngine.Request(FakeBackend.Endless)).AsTask()));
        Assert.Equal(
            [InferenceFailureKind.ExecutionTimeout, InferenceFailureKind.ExecutionTimeout, InferenceFailureKind.ModelUnavailable, InferenceFailureKind.ModelUnavailable],
            outcomes.Select(outcome => outcome.Failure?.Kind).Order());
        Assert.Equal(ModelHealth.Unavailable, engine.Health("fake")!.Health);
        var refused = await Engines.Failure(engine, FakeEngine.Request(1));
        Assert.Equal(InferenceFailureKind.ModelUnavailable, refused.Kind);
        Assert.Contains("2 backend calls", refused.OperatorDetail);
        Assert.Equal(0, engine.Statistics("fake")!.Waiting);

        backend.EndEndlessCalls();
        await Eventually(() => engine.Health("fake")!.Health == ModelHealth.Ready);
        await AssertServes(engine);
    }

    [Fact]
    public async Task Dispose_WhileACallHangs_EndsAndFreesTheModelWhenItReturns()
    {
        var backend = new FakeBackend();
        var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { MaxBatch = 1 });
        var hung = engine.TryInferAsync(FakeEngine.Request(FakeBackend.Endless)).AsTask();
        var behind = engine.TryInferAsync(FakeEngine.Request(1)).AsTask();
        await engine.DisposeAsync();
        Assert.Equal(InferenceFailureKind.ExecutionTimeout, (await hung).Failure?.Kind);
        Assert.True((await behind).IsSuccess);
        Assert.Empty(backend.Disposed);

        backend.EndEndlessCalls();
        await Eventually(() => backend.Disposed.Count == 1);
    }

    [Fact]
    public async Task Dispose_OfAnUnavailableModel_DoesNotWaitForItsCalls()
    {
        var backend = new FakeBackend();
        var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { MaxHungCalls = 0 });
        await Engines.Failure(engine, FakeEngine.Request(FakeBackend.Endless));
        Assert.Equal(ModelHealth.Unavailable, engine.Health("fake")!.Health);
        await engine.DisposeAsync();
        Assert.Empty(backend.Disposed);
        backend.EndEndlessCalls();
        await Eventually(() => backend.Disposed.Count == 1);
    }

    [Fact]
    public async Task Infer_HungOnItsCallersThread_StopsNobodyElse()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { RunInline = RunInline.Always });
        // A thread of its own, since the call keeps it.
        var caller = Task.Factory.StartNew(
            () => engine.TryInferAsync(FakeEngine.Request(FakeBackend.Endless)).AsTask(),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        await Eventually(() => engine.Health("fake")!.Health == ModelHealth.Degraded);
        await AssertServes(engine);
        Assert.False(caller.IsCompleted);
        backend.EndEndlessCalls();
        Assert.Equal(InferenceFailureKind.ExecutionTimeout, (await caller).Failure?.Kind);
        await AssertServes(engine);
    }

    private static async Task AssertServes(InferenceEngine engine)
    {
        using var result = await engine.InferAsync(FakeEngine.Request(21));
        Assert.Equal(42f, result.Values<float>(0)[0]);
    }

    /// <summary>Sends rows that share a batch, because the worker is held until all of them wait.</summary>
    private static async Task<InferenceOutcome[]> Together(InferenceEngine engine, FakeBackend backend, HeldTime time, params float[] rows)
    {
        time.Hold();
        backend.CloseGate();
        var first = engine.TryInferAsync(FakeEngine.Request(0)).AsTask();
        await backend.Arrived.WaitAsync();
        var tasks = rows.Select(x => engine.TryInferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        time.Go();
        backend.OpenGate();
        await first;
        return await Task.WhenAll(tasks);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var i = 0; i < 30_000 && !condition(); i++) await Task.Delay(10);
        Assert.True(condition(), "it did not become so within five minutes");
    }

    /// <summary>The system's time, which can stand still: what a test takes to prepare a batch counts for no limit. Timers are the system's.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private readonly Lock _gate = new(); // guards the two that follow
        private long? _held;
        private long _left;

        public void Hold()
        {
            lock (_gate) _held = base.GetTimestamp() - _left;
        }

        public void Go()
        {
            lock (_gate) (_left, _held) = (base.GetTimestamp() - _held!.Value, null);
        }

        public override long GetTimestamp()
        {
            lock (_gate) return _held ?? base.GetTimestamp() - _left;
        }
    }
}
