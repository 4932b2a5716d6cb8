using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class AdmissionTests : IAsyncLifetime
{
    private readonly FakeBackend _backend = new();
    private InferenceEngine _engine = null!;

    public Task InitializeAsync()
    {
        _engine = FakeEngine.Create(_backend);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _backend.OpenGate();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Infer_MoreRequestsThanAllowed_AreRefusedWithAdvice()
    {
        var running = await Block(FakeEngine.Options with { MaxQueuedRequests = 3, MaxBatch = 1 });
        var waiting = Enumerable.Range(0, 3).Select(x => _engine.TryInferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        var failure = await Engines.Failure(_engine, FakeEngine.Request(9));
        Assert.Equal(InferenceFailureKind.QueueFull, failure.Kind);
        Assert.Contains("3 requests", failure.Message);
        Assert.True(failure.RetryAfter > TimeSpan.Zero);
        await Release([running, .. waiting]);
    }

    [Fact]
    public async Task Infer_MoreBytesThanAllowed_AreRefusedWithAdvice()
    {
        var running = await Block(FakeEngine.Options with { MaxQueuedBytes = 8, MaxBatch = 1 });
        var waiting = Enumerable.Range(0, 2).Select(x => _engine.TryInferAsync(FakeEngine.Request(x)).AsTask()).ToArray();
        var failure = await Engines.Failure(_engine, FakeEngine.Request(9));
        Assert.Equal(InferenceFailureKind.QueueFull, failure.Kind);
        Assert.Contains("8 bytes", failure.Message);
        await Release([running, .. waiting]);
    }

    [Fact]
    public async Task Infer_CancelledWhileWaiting_FreesItsPlaceAtOnce()
    {
        var running = await Block(FakeEngine.Options with { MaxQueuedRequests = 1, MaxBatch = 1 });
        using var cancellation = new CancellationTokenSource();
        var waiting = _engine.TryInferAsync(FakeEngine.Request(1), cancellation.Token).AsTask();
        Assert.Equal(InferenceFailureKind.QueueFull, (await Engines.Failure(_engine, FakeEngine.Request(2))).Kind);
        await cancellation.CancelAsync();
        Assert.Equal(InferenceFailureKind.Cancelled, (await waiting).Failure!.Kind);
        var next = _engine.TryInferAsync(FakeEngine.Request(3)).AsTask();
        await Release([running, next]);
        Assert.Equal(1, _engine.Statistics("fake")!.Abandoned);
    }

    [Fact]
    public async Task Infer_CancelledWhileExecuting_IsAnswered()
    {
        using var cancellation = new CancellationTokenSource();
        await _engine.LoadModelAsync(FakeEngine.Options);
        _backend.CloseGate();
        var running = _engine.TryInferAsync(FakeEngine.Request(4), cancellation.Token).AsTask();
        await _backend.Arrived.WaitAsync();
        await cancellation.CancelAsync();
        await Release([running]);
    }

    [Fact]
    public async Task Infer_CancelledBefore_IsRefused()
    {
        await _engine.LoadModelAsync(FakeEngine.Options);
        Assert.Equal(InferenceFailureKind.Cancelled, (await Engines.Failure(_engine, FakeEngine.Request(1), new CancellationToken(true))).Kind);
    }

    [Fact]
    public async Task Infer_DeadlineWhileWaiting_IsAnsweredThoughTheBackendHangs()
    {
        var running = await Block(FakeEngine.Options with { MaxBatch = 1 });
        var failure = await Engines.Failure(_engine, FakeEngine.Request(1, TimeSpan.FromMilliseconds(20)));
        Assert.Equal(InferenceFailureKind.DeadlineExceeded, failure.Kind);
        Assert.False(running.IsCompleted);
        await Release([running]);
    }

    [Fact]
    public async Task Infer_NoTimeLeft_IsRefused()
    {
        await _engine.LoadModelAsync(FakeEngine.Options);
        Assert.Equal(InferenceFailureKind.DeadlineExceeded, (await Engines.Failure(_engine, FakeEngine.Request(1, TimeSpan.Zero))).Kind);
    }

    [Fact]
    public async Task Infer_TrustGapOpen_IsRefusedWithTheGatesAdvice()
    {
        await using var engine = FakeEngine.Create(_backend, gate: new ClosedGate());
        await engine.LoadModelAsync(FakeEngine.Options);
        var failure = await Engines.Failure(engine, FakeEngine.Request(1));
        Assert.Equal(InferenceFailureKind.TrustGapExceeded, failure.Kind);
        Assert.Equal(TimeSpan.FromSeconds(3), failure.RetryAfter);
    }

    [Fact]
    public async Task Result_UsedAfterDisposal_Throws()
    {
        await _engine.LoadModelAsync(FakeEngine.Options);
        var result = await _engine.InferAsync(FakeEngine.Request(1));
        result.Dispose();
        result.Dispose();
        Assert.Throws<ObjectDisposedException>(() => result.Bytes(0).Length);
        Assert.Throws<ObjectDisposedException>(() => default(InferenceResult).RowIndex);
    }

    [Fact]
    public async Task Result_DisposedTwice_DoesNotEndTheNextLease()
    {
        await _engine.LoadModelAsync(FakeEngine.Options);
        var first = await _engine.InferAsync(FakeEngine.Request(1));
        first.Dispose();
        var second = await _engine.InferAsync(FakeEngine.Request(21));
        first.Dispose();
        Assert.Equal(42f, second.Values<float>(0)[0]);
        second.Dispose();
    }

    [Fact]
    public async Task Result_ReadAsAnotherType_Throws()
    {
        await _engine.LoadModelAsync(FakeEngine.Options);
        using var result = await _engine.InferAsync(FakeEngine.Request(1));
        Assert.Throws<InvalidOperationException>(() => result.Values<int>(0).Length);
    }

    private async Task<Task<InferenceOutcome>> Block(ModelOptions options)
    {
        await _engine.LoadModelAsync(options);
        _backend.CloseGate();
        var running = _engine.TryInferAsync(FakeEngine.Request(100)).AsTask();
        await _backend.Arrived.WaitAsync();
        return running;
    }

    private async Task Release(Task<InferenceOutcome>[] tasks)
    {
        _backend.OpenGate();
        foreach (var outcome in await Task.WhenAll(tasks))
        {
            Assert.True(outcome.IsSuccess, outcome.Failure?.Message);
            outcome.Result.Dispose();
        }
    }

    private sealed class ClosedGate : IAdmissionGate
    {
        public TimeSpan? RetryAfter() => TimeSpan.FromSeconds(3);
    }
}
