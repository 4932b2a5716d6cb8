namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Where the time goes, on a clock that only the doubles move.</summary>
public sealed class StageTimeTests
{
    [Fact]
    public async Task Stages_OfOneRequest_SplitItsTimeExactly()
    {
        var time = new SteppedTime();
        var backend = new FakeBackend { Working = () => time.Step(5_000) };
        await using var engine = Engine(backend, time, new SteppingSealer(time, commit: 700, sign: 2_000));
        await engine.LoadModelAsync(FakeEngine.Options);

        backend.CloseGate();
        var first = engine.InferAsync(FakeEngine.Request(1)).AsTask();
        await backend.Arrived.WaitAsync();
        var second = engine.InferAsync(FakeEngine.Request(2)).AsTask();
        time.Step(10_000); // the second waits for the worker, the first is executing
        backend.OpenGate();
        (await first).Dispose();
        (await second).Dispose();

        var statistics = await Answered(engine, 2);
        Assert.Equal((2, 17_700), (Of(statistics, ServingStage.Queue).Count, Of(statistics, ServingStage.Queue).Sum));
        Assert.Equal((2, 20_000), (Of(statistics, ServingStage.Execute).Count, Of(statistics, ServingStage.Execute).Sum));
        Assert.Equal((2, 1_400), (Of(statistics, ServingStage.Commit).Count, Of(statistics, ServingStage.Commit).Sum));
        Assert.Equal((2, 4_000), (Of(statistics, ServingStage.Sign).Count, Of(statistics, ServingStage.Sign).Sum));
        Assert.Equal((2, 0), (Of(statistics, ServingStage.Gather).Count, Of(statistics, ServingStage.Gather).Sum));
        Assert.Equal((2, 0), (Of(statistics, ServingStage.Scatter).Count, Of(statistics, ServingStage.Scatter).Sum));
        Assert.Equal((2, 25_400 + 17_700), (Of(statistics, ServingStage.Total).Count, Of(statistics, ServingStage.Total).Sum));
        Assert.Equal(statistics.Seal, statistics.Commit + statistics.Sign);
        Assert.Equal(TimeSpan.FromMicroseconds(4), statistics.Sign);
    }

    [Fact]
    public async Task Stages_WithoutSealer_HaveNoCommitAndNoSign()
    {
        await using var engine = Engine(new FakeBackend(), new SteppedTime(), null);
        await engine.LoadModelAsync(FakeEngine.Options);
        (await engine.InferAsync(FakeEngine.Request(1))).Dispose();
        var statistics = await Answered(engine, 1);
        Assert.Equal(0, Of(statistics, ServingStage.Commit).Count);
        Assert.Equal(0, Of(statistics, ServingStage.Sign).Count);
    }

    [Fact]
    public async Task Signature_LongerThanTheWholeSealing_IsNotBelieved()
    {
        var time = new SteppedTime();
        await using var engine = Engine(new FakeBackend(), time, new LyingSealer(time));
        await engine.LoadModelAsync(FakeEngine.Options);
        (await engine.InferAsync(FakeEngine.Request(1))).Dispose();
        var statistics = await Answered(engine, 1);
        Assert.Equal(1_000, Of(statistics, ServingStage.Sign).Sum);
        Assert.Equal(0, Of(statistics, ServingStage.Commit).Sum);
    }

    [Fact]
    public async Task Distribution_OfKnownTimes_IsExactWhereItSaysSoAndWithinAnEighthElsewhere()
    {
        var time = new SteppedTime();
        var next = 0L;
        var backend = new FakeBackend { Working = () => time.Step(next) };
        await using var engine = Engine(backend, time, null);
        await engine.LoadModelAsync(FakeEngine.Options);
        var random = new Random(7);
        var times = Enumerable.Range(0, 400).Select(i => i < 20 ? i : (long)Math.Pow(2, random.NextDouble() * 30)).Append(1 << 20).Append(1L << 45).ToArray();
        foreach (var one in times)
        {
            next = one;
            (await engine.InferAsync(FakeEngine.Request(1))).Dispose();
        }

        var execute = Of(await Answered(engine, times.Length), ServingStage.Execute);
        Array.Sort(times);
        Assert.Equal(times.Length, execute.Count);
        Assert.Equal(times.Sum(), execute.Sum);
        Assert.Equal(times[^1], execute.Max);
        Assert.Equal(execute.Max, execute.Quantile(1));
        for (var power = 0; power <= 40; power++) Assert.Equal(times.Count(value => value <= 1L << power), execute.CountAtMost(1L << power));
        foreach (var share in (double[])[0, 0.01, 0.25, 0.5, 0.9, 0.99])
        {
            var exact = times[Math.Max(0, (int)Math.Ceiling(times.Length * share) - 1)];
            Assert.InRange(execute.Quantile(share), exact, Math.Max(1, exact + (exact / 8) + 1));
        }

        Assert.Equal(execute.Quantile(0.5), execute.P50);
        Assert.Throws<ArgumentOutOfRangeException>(() => execute.Quantile(1.01));
    }

    [Fact]
    public async Task BatchSizes_OfBatchesAndRequests_CountRowsPerCall()
    {
        var backend = new FakeBackend();
        await using var engine = Engine(backend, new SteppedTime(), null);
        await engine.LoadModelAsync(FakeEngine.Options with { PaddingMultiple = 4 });
        backend.CloseGate();
        var first = engine.InferAsync(FakeEngine.Request(1)).AsTask();
        await backend.Arrived.WaitAsync();
        var others = Enumerable.Range(0, 6).Select(i => engine.InferAsync(FakeEngine.Request(i)).AsTask()).ToArray();
        backend.OpenGate();
        (await first).Dispose();
        foreach (var other in others) (await other).Dispose();
        var sizes = (await Answered(engine, 7)).BatchSizes;
        Assert.Equal((2, 7, 6), (sizes.Count, sizes.Sum, sizes.Max));
        Assert.Equal(1, sizes.CountAtMost(4));
        Assert.Equal(1, sizes.P50);
    }

    [Fact]
    public async Task Stages_OfAFailedBatchRunAgainAlone_CountEachCallAndEachRequestOnce()
    {
        var backend = new FakeBackend();
        await using var engine = Engine(backend, new SteppedTime(), null);
        await engine.LoadModelAsync(FakeEngine.Options);
        backend.CloseGate();
        var held = engine.InferAsync(FakeEngine.Request(1)).AsTask();
        await backend.Arrived.WaitAsync();
        var good = engine.TryInferAsync(FakeEngine.Request(2)).AsTask();
        var bad = engine.TryInferAsync(FakeEngine.Request(FakeBackend.Poison)).AsTask();
        backend.OpenGate();
        (await held).Dispose();
        Assert.True((await good).IsSuccess);
        Assert.False((await bad).IsSuccess);
        var statistics = await Answered(engine, 3);
        Assert.Equal((4, 2), (statistics.Batches, statistics.FailedBatches));
        Assert.Equal(4, Of(statistics, ServingStage.Execute).Count);
        Assert.Equal(2, Of(statistics, ServingStage.Scatter).Count);
        Assert.Equal(3, Of(statistics, ServingStage.Queue).Count);
        Assert.Equal(3, Of(statistics, ServingStage.Total).Count);
    }

    private static InferenceEngine Engine(FakeBackend backend, SteppedTime time, Formats.IBatchSealer? sealer) =>
        new(new InferenceEngineOptions { Backend = backend, Sealer = sealer, Time = time });

    private static Distribution Of(ModelStatistics statistics, ServingStage stage) => statistics.Stage(stage);

    /// <summary>The counters once they have seen that many requests: a caller may be a moment ahead of them.</summary>
    private static async Task<ModelStatistics> Answered(InferenceEngine engine, long requests)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (true)
        {
            var statistics = engine.Statistics("fake")!;
            if (statistics.Stage(ServingStage.Total).Count >= requests) return statistics;
            await Task.Delay(1, limit.Token);
        }
    }

    private sealed class LyingSealer(SteppedTime time) : Formats.IBatchSealer
    {
        public Formats.SealedBatch Seal(in Formats.BatchToSeal batch)
        {
            time.Step(1_000);
            return new Formats.SealedBatch([1], new byte[Formats.RowLeaf.Size], new byte[Formats.Hash256.Size]) { SignTime = TimeSpan.FromSeconds(1) };
        }
    }
}
