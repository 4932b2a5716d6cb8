using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

/// <summary>Who writes: the writer's thread, or a caller that awaits its record and finds nobody writing.</summary>
public sealed class OutboxTurnTests : IDisposable
{
    private const string Folder = "/data";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly GatedDisk _disk = new(new SimulatedDisk(1));

    public void Dispose() => _disk.Dispose();

    [Fact]
    public async Task AppendNow_NobodyWrites_IsStoredWhenItReturns()
    {
        using var outbox = Open(new RecordingSink());
        for (var number = 0; number < 50; number++)
        {
            var append = outbox.AppendNowAsync(1, BitConverter.GetBytes(number));
            Assert.True(append.IsCompletedSuccessfully);
            Assert.Equal(number, BitConverter.ToInt32(outbox.Read((await append).Position)));
        }
    }

    [Fact]
    public async Task AppendNow_WhileAnotherWrites_WaitsAndSharesTheNextSync()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink);
        _disk.Close();
        var first = OnAThread(() => outbox.AppendNowAsync(1, BitConverter.GetBytes(0)));
        _disk.UntilWaiting(Limit);
        // The turn is taken: these return at once, or the test's own thread would stand still here.
        var others = Enumerable.Range(1, 5).Select(number => number % 2 == 0 ? outbox.AppendAsync(1, BitConverter.GetBytes(number)) : outbox.AppendNowAsync(1, BitConverter.GetBytes(number))).ToArray();
        Assert.DoesNotContain(others, append => append.IsCompleted);
        var before = _disk.Syncs;
        _disk.Open();
        Assert.True((await first.WaitAsync(Limit)).IsDurable);
        foreach (var outcome in await Task.WhenAll(others).WaitAsync(Limit)) Assert.True(outcome.IsDurable);
        Assert.Equal([0, 1, 2, 3, 4, 5], sink.Numbers);
        Assert.Equal(1, _disk.Syncs - before - 1); // the one that stood still, and one for the five
    }

    [Fact]
    public async Task Dispose_WhileACallerWrites_WaitsForIt()
    {
        var outbox = Open(new RecordingSink());
        _disk.Close();
        var append = OnAThread(() => outbox.AppendNowAsync(1, BitConverter.GetBytes(7)));
        _disk.UntilWaiting(Limit);
        var disposal = Task.Run(outbox.Dispose);
        Assert.NotSame(disposal, await Task.WhenAny(disposal, Task.Delay(200)));
        _disk.Open();
        Assert.True((await append.WaitAsync(Limit)).IsDurable);
        await disposal.WaitAsync(Limit);
        Assert.Equal(AppendStatus.Failed, (await outbox.AppendNowAsync(1, new byte[4])).Status);

        var sink = new RecordingSink();
        Open(sink).Dispose();
        Assert.Equal([7], sink.Numbers);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Append_ManyCallersInEveryWay_AreStoredOnceAndAppliedInOrder(int seed)
    {
        const int callers = 8, each = 400;
        var sink = new RecordingSink();
        using (var outbox = Open(sink))
        {
            await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
            {
                var random = new Random((seed * callers) + caller);
                for (var i = 0; i < each; i++)
                {
                    var payload = BitConverter.GetBytes((caller * each) + i);
                    var append = random.Next(2) == 0 ? outbox.AppendNowAsync(1, payload) : outbox.AppendAsync(1, payload);
                    if (random.Next(4) > 0) Assert.True((await append).IsDurable); // now and then the next one is not held up
                }
            })));
        }

        Assert.Equal(Enumerable.Range(0, callers * each), sink.Numbers.Order());
        var again = new RecordingSink();
        Open(again).Dispose();
        Assert.Equal(sink.Records.Select(record => record.Position), again.Records.Select(record => record.Position));
        Assert.Equal(sink.Numbers, again.Numbers);
    }

    [Fact]
    public async Task AppendNow_SyncFailsOnTheCallersThread_EndsTheOutboxByName()
    {
        var disk = new SimulatedDisk(5);
        using var outbox = SegmentOutbox.Open(disk, Folder, new OutboxOptions { SegmentSize = 4096 }, new RecordingSink());
        disk.FailSyncAt = disk.Operations + 1;
        var failed = outbox.AppendNowAsync(1, new byte[40]);
        Assert.True(failed.IsCompletedSuccessfully && disk.FaultBit);
        Assert.Equal(AppendStatus.Failed, (await failed).Status);
        Assert.Equal(AppendStatus.Failed, (await outbox.AppendAsync(1, new byte[40])).Status);
        Assert.Equal(AppendStatus.Failed, outbox.Trouble?.Status);
    }

    private SegmentOutbox Open(RecordingSink sink) => SegmentOutbox.Open(_disk, Folder, new OutboxOptions { SegmentSize = 64 << 10 }, sink);

    // A thread of its own: what it does may stand still for as long as the disk does.
    private static Task<AppendOutcome> OnAThread(Func<Task<AppendOutcome>> append) =>
        Task.Factory.StartNew(append, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
}
