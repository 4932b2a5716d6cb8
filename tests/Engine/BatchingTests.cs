using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class BatchingTests
{
    [Theory]
    [InlineData(WorkerPlacement.ThreadPool)]
    [InlineData(WorkerPlacement.OwnThreads)]
    public async Task Infer_64ConcurrentCallers_GetTheBitsOfALoneRow(WorkerPlacement placement)
    {
        const int Callers = 64, Each = 20;
        await using var alone = await Engines.CreateWith(Engines.Options("digits") with { MaxBatch = 1, Workers = 1 });
        var expected = new byte[Callers][];
        for (var i = 0; i < Callers; i++) expected[i] = await Engines.Answer(alone, Engines.Digits(Engines.Pixels(i)));

        await using var engine = await Engines.CreateWith(Engines.Options("digits") with { Placement = placement });
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                Assert.Equal(expected[(caller + i) % Callers], await Engines.Answer(engine, Engines.Digits(Engines.Pixels((caller + i) % Callers))));
        })));
        var statistics = engine.Statistics("digits")!;
        Assert.Equal(Callers * Each, statistics.Requests);
        Assert.True(statistics.Batches < statistics.Requests, "nothing was batched");
    }

    [Fact]
    public async Task Infer_ManyRows_AreAnsweredInOrder()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"));
        var pixels = Engines.Pixels(7, rows: 5);
        using var together = await engine.InferAsync(Engines.Digits(pixels));
        Assert.Equal([5, 10], together.Shape(0));
        Assert.Equal([5], together.Shape(1));
        for (var row = 0; row < 5; row++)
        {
            using var single = await engine.InferAsync(Engines.Digits(pixels[(row * 64)..((row + 1) * 64)]));
            Assert.Equal(single.Values<float>(0), together.Values<float>(0).Slice(row * 10, 10));
            Assert.Equal(single.Values<long>(1)[0], together.Values<long>(1)[row]);
        }
    }

    [Fact]
    public async Task Infer_WhileBackendIsBusy_WaitingRequestsShareOneCall()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { MaxBatch = 8 });
        backend.CloseGate();
        var first = engine.InferAsync(FakeEngine.Request(1)).AsTask();
        await backend.Arrived.WaitAsync();
        var before = backend.Calls;
        var rest = Enumerable.Range(2, 20).Select(x => Value(engine, x)).ToArray();
        backend.OpenGate();
        Assert.Equal(Enumerable.Range(2, 20).Select(x => 2f * x), await Task.WhenAll(rest));
        (await first).Dispose();
        Assert.Equal(8, backend.LargestBatch);
        Assert.Equal(3, backend.Calls - before);
    }

    [Fact]
    public async Task Infer_QueueDelay_WaitsForAFullBatch()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        // A delay longer than any test: only a full batch can end the wait.
        await engine.LoadModelAsync(FakeEngine.Options with { MaxBatch = 4, MaxQueueDelay = TimeSpan.FromSeconds(60) });
        var before = backend.Calls;
        float[] values = await Task.WhenAll(Enumerable.Range(1, 4).Select(x => Value(engine, x)));
        Assert.Equal<float>([2, 4, 6, 8], values);
        Assert.Equal(1, backend.Calls - before);
    }

    [Fact]
    public async Task Infer_QueueDelay_EndsWithoutAFullBatch()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { MaxBatch = 4, MaxQueueDelay = TimeSpan.FromMilliseconds(5) });
        Assert.Equal(10f, await Value(engine, 5));
    }

    [Fact]
    public async Task Infer_FixedFirstDimension_RunsOneRequestPerCall()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("fixed"));
        Assert.False(engine.Find("fixed")!.IsBatchable);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async i =>
        {
            using var result = await engine.InferAsync(new InferenceRequest("fixed").Add<float>("x", [1, 4], new float[] { i, 1, 2, 3 }));
            Assert.Equal<float>([2f * i, 2, 4, 6], result.Values<float>(0).ToArray());
        }));
        Assert.Equal(32, engine.Statistics("fixed")!.Batches);
    }

    [Fact]
    public async Task Infer_SeveralTypes_ComeBackUnchanged()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("multi"));
        var inputs = engine.Find("multi")!.Inputs;
        var request = new InferenceRequest("multi");
        var sent = new Dictionary<string, byte[]>();
        // In reverse: names, not positions, say which is which.
        foreach (var input in inputs.Reverse())
        {
            var bytes = new byte[6 * ElementTypes.SizeOf(input.Type)];
            new Random(3).NextBytes(bytes);
            if (input.Type == ElementType.Bool) for (var i = 0; i < bytes.Length; i++) bytes[i] &= 1;
            if (input.Type is ElementType.Float32 or ElementType.Float64) Array.Clear(bytes);
            sent[input.Name] = bytes;
            request.Add(input.Name, input.Type, [3, 2], bytes);
        }

        using var result = await engine.InferAsync(request);
        foreach (var input in inputs) Assert.Equal(sent[input.Name], result.Bytes(result.IndexOf(input.Name + "_out")));
    }

    [Fact]
    public async Task Infer_Encoder_AnswersDoNotDependOnTheNeighbours()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("encoder") with { MaxBatch = 8 });
        var alone = await Embedding(engine, 0);
        var crowd = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Embedding(engine, i)));
        Assert.All(alone.Zip(crowd[0]), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.NotEqual(crowd[0], crowd[1]);
    }

    [Fact]
    public async Task Infer_OutputsThatIgnoreRows_FallBackToOneRequestPerCall()
    {
        var backend = new FakeBackend { OutputsIgnoreRows = true };
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options);
        float[] values = await Task.WhenAll(Enumerable.Range(1, 3).Select(x => Value(engine, x)));
        Assert.Equal<float>([2, 4, 6], values);
    }

    [Fact]
    public async Task Infer_Padding_FillsTheBatchWithRowsNobodySees()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits") with { PaddingMultiple = 4 });
        using var result = await engine.InferAsync(Engines.Digits(Engines.Pixels(1)));
        Assert.Equal(4, result.BatchRows);
        Assert.Equal([1, 10], result.Shape(0));
    }

    private static async Task<float> Value(InferenceEngine engine, float x)
    {
        using var result = await engine.InferAsync(FakeEngine.Request(x));
        return result.Values<float>(0)[0];
    }

    private static async Task<float[]> Embedding(InferenceEngine engine, int seed)
    {
        var ids = Enumerable.Range(0, 32).Select(i => (long)((seed * 7) + i) % 256).ToArray();
        var mask = Enumerable.Range(0, 32).Select(i => i <= 8 + (seed % 20) ? 1L : 0L).ToArray();
        using var result = await engine.InferAsync(
            new InferenceRequest("encoder").Add<long>("input_ids", [1, 32], ids).Add<long>("attention_mask", [1, 32], mask));
        return result.Values<float>(0).ToArray();
    }
}
