namespace OpenGradient.Engine.Engine.Tests;

public sealed class BatchRecordTests : IAsyncLifetime
{
    private readonly FakeBackend _backend = new() { OpenWidth = true };
    private readonly List<Task<InferenceOutcome>> _asked = [];
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
    public async Task RecentBatches_OneIdleCaller_SaysThatNothingElseWaited()
    {
        await _engine.LoadModelAsync(FakeEngine.Options with { Workers = 2, PaddingMultiple = 4 });
        Ask(1, rows: 3);
        await Answered();
        var record = Assert.Single(_engine.RecentBatches("fake")!);
        Assert.Equal((1, 3, 4, BatchSizeReason.QueueEmpty, true), (record.Requests, record.Rows, record.PaddedRows, record.Reason, record.Succeeded));
        Assert.InRange(record.Worker, 0, 1);
        Assert.InRange(record.Started, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        Assert.True(record.OldestQueued >= TimeSpan.Zero && record.Execute > TimeSpan.Zero);
        Assert.Null(_engine.RecentBatches("absent"));
    }

    [Fact]
    public async Task RecentBatches_QueueOfThreeBatches_FullTwiceThenEmpty()
    {
        await Held(FakeEngine.Options with { MaxBatch = 4 });
        for (var i = 1; i <= 10; i++) Ask(i);
        await Answered();
        Expect((4, BatchSizeReason.Full), (4, BatchSizeReason.Full), (2, BatchSizeReason.QueueEmpty));
    }

    [Fact]
    public async Task RecentBatches_SeveralWorkers_ShareWhatWaits()
    {
        await _engine.LoadModelAsync(FakeEngine.Options with { Workers = 2 });
        _backend.CloseGate();
        Ask(1);
        await _backend.Arrived.WaitAsync();
        Ask(2);
        await _backend.Arrived.WaitAsync();
        for (var i = 3; i <= 12; i++) Ask(i);
        await Answered();
        Assert.Contains(BatchSizeReason.Share, _engine.Statistics("fake")!.SizeReasons.Keys);
    }

    [Fact]
    public async Task RecentBatches_NextRequestTooLarge_SaysSo()
    {
        await Held(FakeEngine.Options with { MaxBatch = 4 });
        Ask(1, rows: 3);
        Ask(2, rows: 2);
        await Answered();
        Expect((3, BatchSizeReason.NextDidNotFit), (2, BatchSizeReason.QueueEmpty));
    }

    [Fact]
    public async Task RecentBatches_NextRequestOfAnotherShape_SaysSo()
    {
        await Held(FakeEngine.Options);
        Ask(1);
        Ask(2, width: 2);
        Ask(3, width: 2);
        await Answered();
        Expect((1, BatchSizeReason.ShapeChanged), (2, BatchSizeReason.QueueEmpty));
    }

    [Fact]
    public async Task RecentBatches_QueueDelayOver_SaysSo()
    {
        await _engine.LoadModelAsync(FakeEngine.Options with { MaxQueueDelay = TimeSpan.FromMilliseconds(1) });
        Ask(1);
        await Answered();
        Assert.Equal(BatchSizeReason.DelayElapsed, Assert.Single(_engine.RecentBatches("fake")!).Reason);
    }

    [Fact]
    public async Task RecentBatches_ModelThatTakesOneRequestPerCall_SaysSo()
    {
        await Held(FakeEngine.Options with { AllowBatching = false });
        Ask(1);
        Ask(2);
        await Answered();
        Expect((1, BatchSizeReason.NotBatchable), (1, BatchSizeReason.NotBatchable));
    }

    [Fact]
    public async Task RecentBatches_BatchThatFailed_IsFollowedByItsRequestsAlone()
    {
        await Held(FakeEngine.Options);
        Ask(1);
        Ask(FakeBackend.Poison);
        await Answered();
        var records = _engine.RecentBatches("fake")!.Skip(1).ToArray();
        Assert.Equal([BatchSizeReason.QueueEmpty, BatchSizeReason.SplitAfterFailure, BatchSizeReason.SplitAfterFailure], records.Select(record => record.Reason));
        Assert.Equal([false, true, false], records.Select(record => record.Succeeded));
    }

    [Fact]
    public async Task RecentBatches_MoreThanAreKept_AreTheLastOnesInOrder()
    {
        await _engine.LoadModelAsync(FakeEngine.Options);
        for (var i = 0; i < 200; i++)
        {
            Ask(i);
            await Answered();
        }

        var records = _engine.RecentBatches("fake")!;
        Assert.Equal(128, records.Count);
        Assert.Equal(records.OrderBy(record => record.Started), records);
        var statistics = _engine.Statistics("fake")!;
        Assert.Equal(200, statistics.Batches);
        Assert.Equal(statistics.Batches, statistics.SizeReasons.Values.Sum());
    }

    private void Ask(float x, int rows = 1, int width = 1)
    {
        var values = new float[rows * width];
        Array.Fill(values, x);
        _asked.Add(_engine.TryInferAsync(new InferenceRequest("fake").Add<float>("x", [rows, width], values)).AsTask());
    }

    private async Task Held(ModelOptions options, int requests = 1)
    {
        await _engine.LoadModelAsync(options);
        _backend.CloseGate();
        for (var i = 0; i < requests; i++) Ask(100);
        await _backend.Arrived.WaitAsync();
    }

    private async Task Answered()
    {
        _backend.OpenGate();
        foreach (var outcome in await Task.WhenAll(_asked))
            if (outcome.IsSuccess) outcome.Result.Dispose();
        _asked.Clear();
    }

    /// <summary>Rows and reason of the batches after the one that was held.</summary>
    private void Expect(params (int, BatchSizeReason)[] expected) =>
        Assert.Equal(expected, _engine.RecentBatches("fake")!.Skip(1).Select(record => (record.Rows, record.Reason)));
}
