namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>
/// 10,000 callers who cancel at random: before, while waiting, while executing, afterwards, or by deadline, from a seed, while the
/// model is replaced and unloaded. Each request ends once, with its own answer or a failure of the closed set, and all that was
/// lent comes back.
/// </summary>
public sealed class CancellationStormTests
{
    private const int Callers = 10_000;

    private static readonly InferenceFailureKind[] Expected =
    [
        InferenceFailureKind.Cancelled, InferenceFailureKind.DeadlineExceeded, InferenceFailureKind.QueueFull,
        InferenceFailureKind.ModelNotReady, InferenceFailureKind.UnknownModel, InferenceFailureKind.WouldMissDeadline,
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, Environment.GetEnvironmentVariable("OG_LONG") == "1" ? 100 : 4)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Infer_10000CallersCancellingAtRandom_EachEndsOnceAndEverythingComesBack(int seed)
    {
        var backend = new OddBackend { Call = buffers => Work(buffers.Rows) };
        var engine = backend.Engine();
        var options = Options(seed);
        await engine.LoadModelAsync(options);
        using var storm = new Storm(seed);
        var callers = storm.Run(engine);
        var replacing = seed % 2 == 0;
        for (var turn = 0; replacing && turn < 20; turn++)
        {
            await engine.LoadModelAsync(options with { MaxBatch = 4 << (turn % 3) });
            if (turn % 5 == 4) Assert.True(await engine.UnloadModelAsync("odd"));
        }

        if (replacing) await engine.LoadModelAsync(options);
        var tally = await callers;
        Assert.Equal(Callers, tally.Ends.Count);
        Assert.True(tally.Of(null) > 0, "nobody was answered");
        Assert.True(tally.Of(InferenceFailureKind.Cancelled) > storm.CancelledBefore, "nobody was cancelled while waiting");
        Assert.All(tally.Ends.OfType<InferenceFailureKind>(), kind => Assert.Contains(kind, Expected));
        await Quiet.Holds(() => engine.Statistics("odd") is { Waiting: 0, Leased: 0 }, "every request came back to the pool");
        if (!replacing)
        {
            var statistics = engine.Statistics("odd")!;
            var refused = tally.Of(InferenceFailureKind.QueueFull) + tally.Of(InferenceFailureKind.WouldMissDeadline) + storm.CancelledBefore + storm.LateBefore;
            Assert.Equal(Callers - refused, statistics.Requests + statistics.Abandoned);
        }

        (await engine.InferAsync(OddBackend.Request(1, 2))).Dispose();
        await engine.DisposeAsync();
        Assert.Equal((0, 0), (backend.Models, backend.Executors));
    }

    private static ModelOptions Options(int seed) => OddBackend.Options with
    {
        MaxBatch = 16,
        Placement = seed % 3 == 0 ? WorkerPlacement.OwnThreads : WorkerPlacement.ThreadPool,
        MaxQueueDelay = seed % 4 == 3 ? TimeSpan.FromMilliseconds(1) : TimeSpan.Zero,
        // One that holds all callers, and one that refuses some.
        MaxQueuedRequests = seed % 4 < 2 ? Callers : 500,
    };

    // Long enough that cancellations meet waiting and executing requests alike.
    private static Backends.BackendFault? Work(int rows)
    {
        Thread.SpinWait(200 * rows);
        return null;
    }

    /// <summary>How each request ended; null for an answer.</summary>
    private sealed record Tally(IReadOnlyList<InferenceFailureKind?> Ends)
    {
        public int Of(InferenceFailureKind? kind) => Ends.Count(end => end == kind);
    }

    private sealed class Storm(int seed) : IDisposable
    {
        private readonly Random _random = new(seed);
        private readonly List<CancellationTokenSource> _sources = [];
        private int _cancelledBefore, _lateBefore;

        public int CancelledBefore => _cancelledBefore;

        public int LateBefore => _lateBefore;

        public async Task<Tally> Run(InferenceEngine engine)
        {
            // All begin at once.
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var tasks = new Task<InferenceFailureKind?>[Callers];
            for (var i = 0; i < Callers; i++)
            {
                var source = new CancellationTokenSource();
                _sources.Add(source);
                tasks[i] = Call(engine, i, new Random(_random.Next()), source, start.Task);
            }

            start.SetResult();
            return new Tally(await Task.WhenAll(tasks));
        }

        public void Dispose() => _sources.ForEach(source => source.Dispose());

        private async Task<InferenceFailureKind?> Call(InferenceEngine engine, int caller, Random random, CancellationTokenSource source, Task start)
        {
            await start;
            var request = OddBackend.Request(caller, ~caller);
            var fate = random.Next(6);
            if (fate == 0)
            {
                await source.CancelAsync();
                Interlocked.Increment(ref _cancelledBefore);
            }

            if (random.Next(4) == 0 && fate != 0)
            {
                request.Timeout = TimeSpan.FromMicroseconds(random.Next(0, 20_000));
                if (request.Timeout == TimeSpan.Zero) Interlocked.Increment(ref _lateBefore);
            }

            var task = engine.TryInferAsync(request, source.Token);
            if (fate == 1) await source.CancelAsync();
            if (fate == 2) source.CancelAfter(TimeSpan.FromMilliseconds(random.Next(0, 30)));
            if (fate == 3) _ = Task.Run(source.Cancel);
            var outcome = await task;
            if (fate == 4) await source.CancelAsync();
            if (outcome.Failure is { } failure) return failure.Kind;
            await Read(outcome.Result, caller, random);
            return null;
        }

        private static async Task Read(InferenceResult result, int caller, Random random)
        {
            // Some read late, when the memory of others has gone round many times.
            if (random.Next(8) == 0) await Task.Delay(random.Next(0, 10));
            Assert.Equal([caller, ~caller], result.Values<long>(0).ToArray());
            result.Dispose();
            Assert.Throws<ObjectDisposedException>(() => result.Bytes(0).Length);
            if (random.Next(3) != 0) return;
            // Twice, and late: the memory is another request's by then, whose caller checks it.
            await Task.Yield();
            result.Dispose();
            await Task.Delay(random.Next(0, 5));
            result.Dispose();
            Assert.Throws<ObjectDisposedException>(() => result.Bytes(0).Length);
        }
    }
}
