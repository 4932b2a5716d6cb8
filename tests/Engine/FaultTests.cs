namespace OpenGradient.Engine.Engine.Tests;

public sealed class FaultTests
{
    [Fact]
    public async Task Infer_OneBadRowInABatch_FailsAlone()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options);
        backend.CloseGate();
        var first = engine.InferAsync(FakeEngine.Request(0)).AsTask();
        await backend.Arrived.WaitAsync();
        var values = new[] { 1, 2, FakeBackend.Poison, 4 };
        var tasks = values.Select(x => engine.TryInferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        backend.OpenGate();
        (await first).Dispose();
        var outcomes = await Task.WhenAll(tasks);
        Assert.Equal([true, true, false, true], outcomes.Select(outcome => outcome.IsSuccess));
        Assert.Equal(8f, outcomes[3].Result.Values<float>(0)[0]);

        var failure = outcomes[2].Failure!;
        Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
        Assert.DoesNotContain("secret", failure.Message);
        Assert.Contains("/secret/path.cc:12", failure.OperatorDetail);
        foreach (var outcome in outcomes.Where(outcome => outcome.IsSuccess)) outcome.Result.Dispose();
    }

    [Fact]
    public async Task Infer_BackendThatHangs_IsStoppedAtItsLimit()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { ExecutionTimeout = TimeSpan.FromSeconds(1) });
        backend.CloseGate();
        var failure = await Engines.Failure(engine, FakeEngine.Request(1));
        Assert.Equal(InferenceFailureKind.ExecutionTimeout, failure.Kind);
        backend.OpenGate();
        using var result = await engine.InferAsync(FakeEngine.Request(2));
        Assert.Equal(4f, result.Values<float>(0)[0]);
    }

    [Fact]
    public async Task Dispose_WithRequestsWaiting_AnswersThemAll()
    {
        var backend = new FakeBackend();
        var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { MaxBatch = 2 });
        backend.CloseGate();
        var tasks = Enumerable.Range(0, 11).Select(x => engine.TryInferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        await backend.Arrived.WaitAsync();
        var disposal = engine.DisposeAsync().AsTask();
        Assert.Equal(InferenceFailureKind.ShuttingDown, (await Engines.Failure(engine, FakeEngine.Request(1))).Kind);
        Assert.False(disposal.IsCompleted);
        backend.OpenGate();
        Assert.All(await Task.WhenAll(tasks), outcome => Assert.True(outcome.IsSuccess));
        await disposal;
        Assert.Single(backend.Disposed);
        await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(FakeEngine.Options));
    }

    [Fact]
    public async Task Load_SameVersionWhileServing_FailsNoRequest()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"));
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            var answered = 0;
            while (!stop.IsCancellationRequested)
            {
                using var result = await engine.InferAsync(Engines.Digits(Engines.Pixels(caller)));
                answered++;
            }

            return answered;
        })).ToArray();
        for (var i = 0; i < 5; i++) await engine.LoadModelAsync(Engines.Options("digits") with { MaxBatch = 16 << (i % 2) });
        await stop.CancelAsync();
        Assert.True((await Task.WhenAll(callers)).Sum() > 0);
        Assert.Single(engine.Models);
    }

    [Fact]
    public async Task Load_AnotherVersion_ServesBothAndPrefersTheLast()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"), Engines.Options("digits") with { Version = "2" });
        Assert.Equal("2", engine.Find("digits")!.Version);
        using (var old = await engine.InferAsync(new InferenceRequest("digits", "1").Add<float>("pixels", [1, 64], new float[64])))
            Assert.Equal("1", old.Model.Version);
        Assert.True(await engine.UnloadModelAsync("digits", "2"));
        Assert.Equal("1", engine.Find("digits")!.Version);
        Assert.True(await engine.UnloadModelAsync("digits"));
        Assert.False(await engine.UnloadModelAsync("digits"));
        Assert.Equal(InferenceFailureKind.UnknownModel, (await Engines.Failure(engine, Engines.Digits(new float[64]))).Kind);
    }
}
