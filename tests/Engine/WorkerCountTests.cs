using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>How many calls run at once where the options do not say it.</summary>
public sealed class WorkerCountTests
{
    // As many threads as cores: on the CPU that leaves one worker, whatever machine this is.
    private static readonly ModelOptions Options = FakeEngine.Options with
    {
        Workers = null, Determinism = Formats.DeterminismClass.A, Execution = new ExecutionOptions { IntraOpThreads = Environment.ProcessorCount },
    };

    [Theory]
    [InlineData("cpu", null, 1)]
    [InlineData("cuda", null, 2)]
    [InlineData("cuda", 5, 5)]
    [InlineData("cpu", 3, 3)]
    public async Task Infer_64Callers_RunAsManyCallsAsTheDeviceWants(string provider, int? workers, int expected)
    {
        var backend = new FakeBackend { Provider = provider };
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(Options with { Workers = workers, AllowOversubscription = true });
        backend.CloseGate();
        var callers = Enumerable.Range(0, 64).Select(x => engine.InferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        for (var i = 0; i < expected; i++) Assert.True(await backend.Arrived.WaitAsync(TimeSpan.FromMinutes(5)), $"only {i} calls run");
        Assert.False(await backend.Arrived.WaitAsync(TimeSpan.FromMilliseconds(100)), $"more than {expected} calls run");
        backend.OpenGate();
        foreach (var result in await Task.WhenAll(callers)) result.Dispose();
    }

    [Fact]
    public async Task Load_GpuThatTheCpuStandsInFor_HasTheWorkersOfTheCpu()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        var info = await engine.LoadModelAsync(Options with { Execution = Options.Execution with { Device = ExecutionDevice.Cuda, AllowCpuFallback = true } });
        Assert.Null(info.Options.Workers);
    }
}
