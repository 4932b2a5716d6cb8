namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>Each kind of bad input within a stream of good requests from 64 callers of one engine.</summary>
public sealed class ConcurrentBadInputTests
{
    private const int Callers = 64;

    [Theory]
    [InlineData(1, WorkerPlacement.ThreadPool)]
    [InlineData(2, WorkerPlacement.OwnThreads)]
    public async Task Infer_BadAmongGoodFrom64Callers_EachGetsItsOwnAnswer(int seed, WorkerPlacement placement)
    {
        var each = BadInputs.All.Count * 4;
        await using var alone = await Engines.CreateWith(Engines.Options("digits") with { MaxBatch = 1, Workers = 1 });
        var expected = new byte[Callers][];
        for (var i = 0; i < Callers; i++) expected[i] = await Engines.Answer(alone, Engines.Digits(Engines.Pixels(i)));

        await using var engine = await Engines.CreateWith([.. BadInputs.Models.Select(model => model with { Placement = placement })]);
        var counts = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var random = new Random((seed * 1000) + caller);
            int good = 0, bad = 0;
            for (var i = 0; i < each; i++)
            {
                // Every caller sends every bad input, each at another time.
                if (i % 4 == 0)
                {
                    await Refused(engine, BadInputs.All[((i / 4) + caller) % BadInputs.All.Count]);
                    bad++;
                    continue;
                }

                var which = random.Next(Callers);
                Assert.Equal(expected[which], await Engines.Answer(engine, Engines.Digits(Engines.Pixels(which))));
                good++;
            }

            return (Good: good, Bad: bad);
        })));

        Assert.Equal(Callers * BadInputs.All.Count, counts.Sum(count => count.Bad));
        var statistics = engine.Statistics("digits")!;
        // What was admitted was answered, and nothing that was refused was counted as either.
        Assert.Equal(counts.Sum(count => count.Good), statistics.Requests);
        Assert.Equal(statistics.Requests, statistics.Rows);
        Assert.Equal(0, statistics.FailedBatches);
        foreach (var model in BadInputs.Models)
            await Quiet.Holds(() => engine.Statistics(model.Name) is { Waiting: 0, Leased: 0 }, $"model '{model.Name}' holds nothing");
    }

    [Fact]
    public async Task Infer_ModelThatGivesNaNForOneRow_LeavesItsNeighboursTheirBits()
    {
        const int Each = 50;
        await using var engine = await Engines.CreateWith(Engines.Options("nan"));
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            // log of a negative row is NaN, of zeros −∞: the answers of one caller in four.
            var x = caller % 4 == 0 ? new float[] { -1, 0, float.NaN, float.PositiveInfinity } : [1 + caller, 2, 3, 4];
            var expected = Array.ConvertAll(x, MathF.Log);
            for (var i = 0; i < Each; i++)
            {
                using var result = await engine.InferAsync(new InferenceRequest("nan").Add<float>("x", [1, 4], x));
                var y = result.Values<float>(0).ToArray();
                if (caller % 4 == 0) Assert.Equal([float.NaN, float.NegativeInfinity, float.NaN, float.PositiveInfinity], y);
                else Assert.All(y.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
            }
        })));
        Assert.Equal(0, engine.Statistics("nan")!.FailedBatches);
        Assert.Equal(Callers * Each, engine.Statistics("nan")!.Requests);
    }

    [Fact]
    public async Task Infer_DeadlinesAmongTheRest_AreCountedAsAnswered()
    {
        const int Each = 100;
        var backend = new OddBackend { Call = _ => Sleep() };
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options with { MaxBatch = 4 });
        var refused = 0;
        var failures = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var late = 0;
            for (var i = 0; i < Each; i++)
            {
                var request = OddBackend.Request(caller, i);
                request.Timeout = TimeSpan.FromMicroseconds(500 * (1 + (i % 8)));
                var outcome = await engine.TryInferAsync(request);
                if (outcome.IsSuccess) outcome.Result.Dispose();
                else Assert.Contains(outcome.Failure!.Kind, (InferenceFailureKind[])[InferenceFailureKind.DeadlineExceeded, InferenceFailureKind.WouldMissDeadline]);
                if (outcome.Failure is { Kind: InferenceFailureKind.WouldMissDeadline }) Interlocked.Increment(ref refused);
                if (!outcome.IsSuccess) late++;
            }

            return late;
        })));
        Assert.True(failures.Sum() > 0, "no deadline passed");
        var statistics = engine.Statistics("odd")!;
        Assert.Equal((Callers * Each) - refused, statistics.Requests + statistics.Abandoned);

        static Backends.BackendFault? Sleep()
        {
            Thread.Sleep(1);
            return null;
        }
    }

    private static async Task Refused(InferenceEngine engine, BadInput bad)
    {
        var failure = await Engines.Failure(engine, bad.Make());
        Assert.True(failure.Kind == bad.Kind && failure.Message.Contains(bad.Says, StringComparison.Ordinal), $"{bad.Name}: {failure.Kind} '{failure.Message}'");
        // Half a character cannot be sent to anybody.
        Assert.DoesNotContain(failure.Message, char.IsSurrogate);
    }
}
