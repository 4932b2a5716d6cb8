using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>Batches that memory does not hold, and devices that are lost: every request is answered once, by name.</summary>
public sealed class DeviceFaultTests
{
    private static readonly BackendFault OutOfMemory = new("OutOfMemory", "secret") { Kind = BackendFaultKind.OutOfMemory };
    private static readonly BackendFault Lost = new("DeviceLost", "secret") { Kind = BackendFaultKind.DeviceLost };

    // Filled up by as many callers as rows fit in: what is sent together is one batch.
    private static readonly ModelOptions Options = OddBackend.Options with
    {
        Workers = 1, MaxBatch = 16, MaxQueueDelay = TimeSpan.FromSeconds(30), Determinism = Formats.DeterminismClass.A,
    };

    [Fact]
    public async Task Infer_BatchBeyondMemory_IsHalvedUntilItFits()
    {
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(Options);
        backend.Call = buffers => buffers.Rows > 5 ? OutOfMemory : null;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(row => engine.TryInferAsync(OddBackend.Request(row, 1)).AsTask()));
        for (var row = 0; row < 16; row++)
        {
            using var result = outcomes[row].Result;
            Assert.Equal([row, 1L], result.Values<long>(0).ToArray());
        }

        Assert.Equal([(16, false), (8, false), (4, true), (4, true), (8, false), (4, true), (4, true)], engine.RecentBatches("odd")!.Select(batch => (batch.Rows, batch.Succeeded)));
        Assert.Equal((16, 3), (engine.Statistics("odd")!.Requests, engine.Statistics("odd")!.FailedBatches));
        Assert.Equal(ModelHealth.Ready, engine.Health("odd")!.Health);
    }

    [Fact]
    public async Task Infer_RequestThatFitsNowhere_FailsAloneWithTheReason()
    {
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(Options);
        backend.Call = buffers => buffers.Rows > 5 ? OutOfMemory : null;
        // 1, 1, 12, 1 and 1 rows: full.
        var sizes = (int[])[1, 1, 12, 1, 1];
        var outcomes = await Task.WhenAll(sizes.Select(rows => engine.TryInferAsync(new InferenceRequest("odd").Add<long>("x", [rows, 2], new long[2 * rows])).AsTask()));
        Assert.Equal([true, true, false, true, true], outcomes.Select(outcome => outcome.IsSuccess));
        var failure = outcomes[2].Failure!;
        Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
        Assert.Contains("(OutOfMemory)", failure.Message);
        Assert.Equal("secret", failure.OperatorDetail);
        foreach (var outcome in outcomes.Where(outcome => outcome.IsSuccess)) outcome.Result.Dispose();
        await Quiet.Holds(() => engine.Statistics("odd")!.Leased == 0, "every request came back to the pool");
    }

    [Fact]
    public async Task Load_LargestBatchBeyondMemory_StillSharesCalls()
    {
        var backend = new OddBackend { Call = buffers => buffers.Rows > 5 ? OutOfMemory : null };
        await using var engine = backend.Engine();
        Assert.True((await engine.LoadModelAsync(Options)).IsBatchable);
    }

    [Fact]
    public async Task Infer_DeviceThatIsLost_AnswersWhatRunsAndWhatWaitsOnceAndNothingMore()
    {
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(Options with { MaxQueueDelay = TimeSpan.Zero });
        using var arrived = new SemaphoreSlim(0);
        using var gate = new ManualResetEventSlim();
        var calls = 0;
        backend.Call = _ =>
        {
            calls++;
            arrived.Release();
            gate.Wait();
            return Lost;
        };
        var running = engine.TryInferAsync(OddBackend.Request(1, 1)).AsTask();
        await arrived.WaitAsync();
        var waiting = Enumerable.Range(0, 20).Select(row => engine.TryInferAsync(OddBackend.Request(row, 2)).AsTask()).ToArray();
        gate.Set();
        var failure = (await running).Failure!;
        Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
        Assert.Contains("(DeviceLost)", failure.Message);
        Assert.All(await Task.WhenAll(waiting), outcome => Assert.Equal(InferenceFailureKind.ModelUnavailable, outcome.Failure?.Kind));
        Assert.Equal(1, calls);

        var health = engine.Health("odd")!;
        Assert.Equal(ModelHealth.Unavailable, health.Health);
        Assert.Contains("the device is lost", Assert.Single(health.Reasons));
        Assert.Equal(InferenceFailureKind.ModelUnavailable, (await Engines.Failure(engine, OddBackend.Request(3, 3))).Kind);
        await Quiet.Holds(() => engine.Statistics("odd") is { Leased: 0, Waiting: 0 }, "every request came back to the pool");
    }

    [Fact]
    public async Task Infer_BatchWhoseDeviceIsLost_IsNotTriedAgain()
    {
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(Options);
        var calls = 0;
        backend.Call = _ =>
        {
            calls++;
            return Lost;
        };
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(row => engine.TryInferAsync(OddBackend.Request(row, 1)).AsTask()));
        Assert.All(outcomes, outcome => Assert.Contains("(DeviceLost)", outcome.Failure?.Message));
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task Load_DeviceLostAtTheFirstCall_IsRefusedAndWhatServedServesOn()
    {
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(Options with { MaxQueueDelay = TimeSpan.Zero });
        backend.Call = _ => Lost;
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(Options));
        Assert.Equal(ModelLoadReason.DeviceMissing, error.Reason);
        Assert.Contains("'odd'", error.Message);
        backend.Call = null;
        (await engine.InferAsync(OddBackend.Request(1, 2))).Dispose();
    }
}
