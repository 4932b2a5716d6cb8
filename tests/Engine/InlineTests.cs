#pragma warning disable CA2012, xUnit1031 // calls are looked at before they are awaited: whether they return completed is the point

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Calls to an idle model on their caller's thread.</summary>
public sealed class InlineTests
{
    private static readonly ModelOptions Options = FakeEngine.Options with { RunInline = RunInline.Always };

    [Fact]
    public async Task Infer_IdleShortModel_IsExecutedByItsCaller()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { RunInline = RunInline.Auto });
        Assert.True(OnOwnThread(() => IsInline(engine, backend)));
    }

    [Theory]
    [InlineData(RunInline.Never, WorkerPlacement.Auto, 0, 0)]
    [InlineData(RunInline.Auto, WorkerPlacement.OwnThreads, 0, 0)]
    [InlineData(RunInline.Auto, WorkerPlacement.Auto, 1, 0)]
    [InlineData(RunInline.Auto, WorkerPlacement.Auto, 0, 2)]
    public async Task Infer_WhereCallersMustNotBeHeld_IsExecutedByAWorker(RunInline mode, WorkerPlacement placement, int delayMs, int callMs)
    {
        var backend = new FakeBackend { CallTime = TimeSpan.FromMilliseconds(callMs) };
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { RunInline = mode, Placement = placement, MaxQueueDelay = TimeSpan.FromMilliseconds(delayMs) });
        Assert.False(OnOwnThread(() => IsInline(engine, backend)));
    }

    [Fact]
    public async Task Infer_StartedWithoutAwaiting_OnlyTheFirstRunsOnTheCaller()
    {
        const int Count = 64;
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { Workers = 2 });
        var inline = OnOwnThread(() =>
        {
            var tasks = new ValueTask<InferenceResult>[Count];
            var mine = 0;
            for (var i = 0; i < Count; i++)
            {
                var before = backend.Calls;
                tasks[i] = engine.InferAsync(FakeEngine.Request(i));
                if (backend.Calls > before && backend.LastThread == Environment.CurrentManagedThreadId) mine++;
            }

            foreach (var task in tasks) task.AsTask().GetAwaiter().GetResult().Dispose();
            return mine;
        });
        Assert.Equal(1, inline);
    }

    [Fact]
    public async Task Infer_WhileACallerExecutes_IsPickedUpAfterwards()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options);
        backend.CloseGate();
        var inline = Started(engine, 1);
        await backend.Arrived.WaitAsync();
        var queued = Enumerable.Range(2, 5).Select(x => engine.InferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        Assert.All(queued, task => Assert.False(task.IsCompleted));
        backend.OpenGate();
        (await inline).Dispose();
        foreach (var result in await Task.WhenAll(queued)) result.Dispose();
    }

    [Fact]
    public async Task Dispose_WhileACallerExecutes_WaitsForIt()
    {
        var backend = new FakeBackend();
        var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options);
        backend.CloseGate();
        var inline = Started(engine, 4);
        await backend.Arrived.WaitAsync();
        var disposal = engine.DisposeAsync().AsTask();
        Assert.False(disposal.IsCompleted);
        Assert.Empty(backend.Disposed);
        backend.OpenGate();
        using (var result = await inline) Assert.Equal(8f, result.Values<float>(0)[0]);
        await disposal;
        Assert.Single(backend.Disposed);
    }

    [Fact]
    public async Task Infer_AfterAResultWasLost_RunsOnTheCallerAgain()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options);
        var recovered = OnOwnThread(() =>
        {
            engine.InferAsync(FakeEngine.Request(1)).AsTask().GetAwaiter().GetResult();
            if (IsInline(engine, backend)) return -1;
            for (var i = 0; i < 10_000; i++)
                if (IsInline(engine, backend)) return i;
            return -2;
        });
        Assert.True(recovered > 0, $"{recovered}");
    }

    [Fact]
    public async Task Infer_LongLoopOfCompletedCalls_DoesNotGrowTheStack()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("noop"));
        var request = new InferenceRequest("noop").Add<float>("x", [1, 1], new float[1]);
        await Loop(100_000);
        Assert.Equal(100_000, engine.Statistics("noop")!.Requests);

        async Task Loop(int calls)
        {
            for (var i = 0; i < calls; i++) (await engine.InferAsync(request)).Dispose();
        }
    }

    [Fact]
    public async Task Infer_FailureOnTheCallersThread_IsTheSame()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        await engine.LoadModelAsync(Options);
        Assert.Equal(InferenceFailureKind.BackendFailed, (await Engines.Failure(engine, FakeEngine.Request(FakeBackend.Poison))).Kind);
        using var result = await engine.InferAsync(FakeEngine.Request(2));
        Assert.Equal(4f, result.Values<float>(0)[0]);
    }

    [Fact]
    public async Task Load_AlwaysInlineWithAQueueDelay_IsRefused()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        var error = await Assert.ThrowsAsync<ArgumentException>(() => engine.LoadModelAsync(Options with { MaxQueueDelay = TimeSpan.FromMilliseconds(1) }));
        Assert.Contains("RunInline", error.Message);
    }

    /// <summary>Whether one call, waited for, was executed by this thread.</summary>
    private static bool IsInline(InferenceEngine engine, FakeBackend backend)
    {
        var task = engine.InferAsync(FakeEngine.Request(3));
        var completed = task.IsCompleted;
        task.AsTask().GetAwaiter().GetResult().Dispose();
        return completed && backend.LastThread == Environment.CurrentManagedThreadId;
    }

    /// <summary>Starts a call on a thread of its own, which it may keep.</summary>
    private static Task<InferenceResult> Started(InferenceEngine engine, float x) => Task.Factory.StartNew(
        () => engine.InferAsync(FakeEngine.Request(x)).AsTask(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    /// <summary>Off the pool, where work of other tests would rightly keep calls from running inline.</summary>
    private static T OnOwnThread<T>(Func<T> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).GetAwaiter().GetResult();
}
