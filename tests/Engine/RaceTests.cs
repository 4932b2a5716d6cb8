namespace OpenGradient.Engine.Engine.Tests;

public sealed class RaceTests
{
    /// <summary>Callers cancel, run out of time or wait, at random; a request that completed twice would throw, one that never did would hang.</summary>
    [Theory]
    [InlineData(1, WorkerPlacement.ThreadPool)]
    [InlineData(2, WorkerPlacement.OwnThreads)]
    [InlineData(3, WorkerPlacement.ThreadPool)]
    public async Task Infer_RandomCancellationAndDeadlines_EachRequestCompletesOnceWithItsOwnAnswer(int seed, WorkerPlacement placement)
    {
        const int Callers = 50, Each = 200;
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { Workers = 3, Placement = placement, MaxBatch = 8 });
        var counts = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => Call(engine, new Random((seed * 1000) + caller), caller, Each))));
        Assert.Equal(Callers * Each, counts.Sum(count => count.Answered + count.Cancelled + count.Late));
        Assert.True(counts.Sum(count => count.Answered) > 0);

        var statistics = engine.Statistics("fake")!;
        Assert.Equal(0, statistics.Waiting);
    }

    /// <summary>As above, with priorities, callers, rows that do not fit and time-outs that move requests down.</summary>
    [Theory]
    [InlineData(4, WorkerPlacement.ThreadPool)]
    [InlineData(5, WorkerPlacement.OwnThreads)]
    public async Task Infer_RandomPrioritiesAndCallers_EachRequestCompletesOnceWithItsOwnAnswer(int seed, WorkerPlacement placement)
    {
        const int Callers = 50, Each = 200;
        var policy = new QueuePolicy { DefaultTimeout = TimeSpan.FromMilliseconds(1), OnTimeout = QueueTimeoutAction.Downgrade };
        await using var engine = FakeEngine.Create(new FakeBackend());
        await engine.LoadModelAsync(FakeEngine.Options with
        {
            Workers = 3, Placement = placement, MaxBatch = 8, QueuePolicies = new QueuePolicies { High = policy, Normal = policy with { MaxQueuedRequests = 40 } },
        });
        var counts = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallSorted(engine, new Random((seed * 1000) + caller), Each))));
        Assert.True(counts.Sum() > 0);
        Assert.Equal(0, engine.Statistics("fake")!.Waiting);
    }

    [Fact]
    public async Task Infer_AfterARace_TheModelStillAnswersAndDrains()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { MaxQueuedRequests = 4, MaxBatch = 1 });
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 500).Select(x => Task.Run(async () =>
        {
            var outcome = await engine.TryInferAsync(FakeEngine.Request(x));
            if (outcome.IsSuccess) outcome.Result.Dispose();
            return outcome.Failure?.Kind;
        })));
        Assert.All(outcomes, kind => Assert.True(kind is null or InferenceFailureKind.QueueFull));
        using var result = await engine.InferAsync(FakeEngine.Request(3));
        Assert.Equal(6f, result.Values<float>(0)[0]);
    }

    [Fact]
    public async Task Infer_CallerThatBlocksItsContinuation_DoesNotHoldUpItsNeighbours()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options);
        backend.CloseGate();
        using var release = new ManualResetEventSlim();
        var first = engine.InferAsync(FakeEngine.Request(0)).AsTask();
        await backend.Arrived.WaitAsync();
        // These share a batch; the first of them blocks until the last has been answered.
        var blocker = Blocking(engine, release);
        var neighbours = Enumerable.Range(1, 10).Select(x => Answered(engine, x)).ToArray();
        backend.OpenGate();
        await Task.WhenAll(neighbours);
        release.Set();
        await blocker;
        (await first).Dispose();
    }

    private static async Task Blocking(InferenceEngine engine, ManualResetEventSlim release)
    {
        using var result = await engine.InferAsync(FakeEngine.Request(7)).ConfigureAwait(false);
        release.Wait();
    }

    private static async Task Answered(InferenceEngine engine, float x)
    {
        using var result = await engine.InferAsync(FakeEngine.Request(x)).ConfigureAwait(false);
        Assert.Equal(2 * x, result.Values<float>(0)[0]);
    }

    private static async Task<(int Answered, int Cancelled, int Late)> Call(InferenceEngine engine, Random random, int caller, int calls)
    {
        int answered = 0, cancelled = 0, late = 0;
        for (var i = 0; i < calls; i++)
        {
            using var source = new CancellationTokenSource();
            var request = FakeEngine.Request((caller * calls) + i);
            if (random.Next(3) == 0) request.Timeout = TimeSpan.FromMicroseconds(random.Next(1, 2000));
            var task = engine.TryInferAsync(request, source.Token);
            switch (random.Next(3))
            {
                case 0: await source.CancelAsync(); break;
                case 1: source.CancelAfter(TimeSpan.FromMilliseconds(random.Next(0, 2))); break;
            }

            var outcome = await task;
            if (outcome.Failure?.Kind == InferenceFailureKind.Cancelled) cancelled++;
            if (outcome.Failure?.Kind is InferenceFailureKind.DeadlineExceeded or InferenceFailureKind.WouldMissDeadline) late++;
            if (!outcome.IsSuccess) continue;
            using var result = outcome.Result;
            Assert.Equal(2f * ((caller * calls) + i), result.Values<float>(0)[0]);
            answered++;
        }

        return (answered, cancelled, late);
    }

    private static async Task<int> CallSorted(InferenceEngine engine, Random random, int calls)
    {
        var answered = 0;
        for (var i = 0; i < calls; i++)
        {
            using var source = new CancellationTokenSource();
            var x = new float[random.Next(1, 9)];
            Array.Fill(x, i);
            var request = new InferenceRequest("fake").Add<float>("x", [x.Length, 1], x);
            request.Priority = (RequestPriority)random.Next(3);
            request.Caller = random.Next(3) == 0 ? null : $"caller {random.Next(4)}";
            if (random.Next(4) == 0) request.Timeout = TimeSpan.FromMicroseconds(random.Next(1, 2000));
            var task = engine.TryInferAsync(request, source.Token);
            if (random.Next(4) == 0) source.CancelAfter(TimeSpan.FromMilliseconds(random.Next(0, 2)));
            var outcome = await task;
            if (!outcome.IsSuccess)
            {
                Assert.Contains(outcome.Failure!.Kind, new[]
                {
                    InferenceFailureKind.Cancelled, InferenceFailureKind.DeadlineExceeded, InferenceFailureKind.WouldMissDeadline, InferenceFailureKind.QueueFull,
                });
                continue;
            }

            using var result = outcome.Result;
            Assert.Equal([x.Length, 1], result.Shape(0));
            Assert.True(result.Values<float>(0).IndexOfAnyExcept(2f * i) < 0, "another request's answer");
            answered++;
        }

        return answered;
    }
}
