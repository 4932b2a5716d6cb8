namespace OpenGradient.Engine.Engine.Tests;

public sealed class GrowthTests
{
    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task Infer_MoreBusyModelsThanCores_BatchesAreNotDividedAmongWorkers(bool othersBusy, int leastBatches)
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        var others = (2 * Environment.ProcessorCount) + 1;
        var endless = new List<Task<InferenceOutcome>>();
        if (othersBusy)
        {
            for (var i = 0; i < others; i++)
            {
                await engine.LoadModelAsync(FakeEngine.Options with { Name = $"other{i}", Placement = WorkerPlacement.OwnThreads });
                endless.Add(engine.TryInferAsync(Request($"other{i}", FakeBackend.Endless)).AsTask());
            }
        }

        await engine.LoadModelAsync(FakeEngine.Options with { Workers = 2, Placement = WorkerPlacement.OwnThreads });
        // One worker is kept, so that the other alone decides how to divide what waits.
        backend.CloseGate();
        endless.Add(engine.TryInferAsync(FakeEngine.Request(FakeBackend.Endless)).AsTask());
        await backend.Arrived.WaitAsync();
        backend.OpenGate();
        while (engine.Statistics("fake")!.Waiting > 0) await Task.Yield();
        backend.CloseGate();
        var first = engine.InferAsync(FakeEngine.Request(0)).AsTask();
        await backend.Arrived.WaitAsync();
        var rest = Enumerable.Range(1, 8).Select(x => engine.InferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        var before = engine.Statistics("fake")!.Batches;
        backend.OpenGate();
        (await first).Dispose();
        foreach (var result in await Task.WhenAll(rest)) result.Dispose();
        var batches = engine.Statistics("fake")!.Batches - before - 1;
        Assert.True(othersBusy ? batches == leastBatches : batches >= leastBatches, $"8 requests in {batches} batches");

        backend.EndEndlessCalls();
        foreach (var outcome in await Task.WhenAll(endless)) outcome.Result.Dispose();
    }

    private static InferenceRequest Request(string model, float x) => new InferenceRequest(model).Add<float>("x", [1, 1], new[] { x });
}
