namespace OpenGradient.Engine.Engine.Tests;

public sealed class BatchingTests
{
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
    public async Task Infer_OutputsThatIgnoreRows_FallBackToOneRequestPerCall()
    {
        var backend = new FakeBackend { OutputsIgnoreRows = true };
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options);
        float[] values = await Task.WhenAll(Enumerable.Range(1, 3).Select(x => Value(engine, x)));
        Assert.Equal<float>([2, 4, 6], values);
    }

    private static async Task<float> Value(InferenceEngine engine, float x)
    {
        using var result = await engine.InferAsync(FakeEngine.Request(x));
        return result.Values<float>(0)[0];
    }
}
