using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

/// <summary>What every outbox promises, whatever it stores in. Run by each implementation.</summary>
public abstract class OutboxContract
{
    protected static OutboxOptions Defaults { get; } = new() { SegmentSize = 256 << 10 };

    /// <summary>Opens the same journal each time.</summary>
    protected abstract IOutbox Open(IRecordSink sink, OutboxOptions options);

    /// <summary>From here on nothing becomes durable.</summary>
    protected abstract void Hold();

    /// <summary>What waited becomes durable.</summary>
    protected abstract void LetGo();

    /// <summary>Alters one byte of the payload of a stored record; the outbox is closed.</summary>
    protected abstract void Damage(RecordPosition position);

    /// <summary>Removes a stored record, or the file that holds it; the outbox is closed.</summary>
    protected abstract void Remove(RecordPosition position);

    private IOutbox Open(IRecordSink sink) => Open(sink, Defaults);

    [ContractFact]
    public async Task Append_ManyRecords_AreAppliedInOrderAndReadBack()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink);
        var appends = Enumerable.Range(0, 300).Select(number => outbox.AppendAsync((byte)(1 + number % 7), OutboxCrashTests.Payload(number, 4 + number))).ToArray();
        var outcomes = await Task.WhenAll(appends);
        Assert.All(outcomes, outcome => Assert.True(outcome.IsDurable, outcome.Detail));
        Assert.Equal(Enumerable.Range(0, 300), sink.Numbers);
        for (var number = 0; number < 300; number++)
        {
            Assert.Equal((outcomes[number].Position, (byte)(1 + number % 7)), (sink.Records[number].Position, sink.Records[number].Type));
            Assert.Equal(OutboxCrashTests.Payload(number, 4 + number), outbox.Read(outcomes[number].Position));
        }

        Assert.Equal(300, outcomes.Select(outcome => outcome.Position).Distinct().Count());
        Assert.Null(outbox.Trouble);
    }

    [ContractFact]
    public async Task Append_OfManyThreads_KeepsTheOrderOfEach()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++) Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(thread * 1000 + i, 40))).IsDurable);
        })));
        foreach (var thread in Enumerable.Range(0, 8))
            Assert.Equal(Enumerable.Range(thread * 1000, 40), sink.Numbers.Where(number => number / 1000 == thread));
    }

    [ContractFact]
    public async Task Append_WhileStorageStandsStill_IsNeitherAppliedNorComplete()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink);
        Hold();
        var append = outbox.AppendAsync(1, OutboxCrashTests.Payload(7, 50));
        await Task.Delay(50); // time enough to complete, if it were wrong
        Assert.False(append.IsCompleted);
        Assert.Empty(sink.Records);
        LetGo();
        Assert.True((await append).IsDurable);
        Assert.Equal([7], sink.Numbers);
    }

    [ContractFact]
    public async Task Append_QueueFull_RefusesAtOnceAndGoesOnLater()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink, Defaults with { MaxQueuedRecords = 3 });
        Hold();
        var taken = new List<Task<AppendOutcome>>();
        AppendOutcome refused;
        while (true)
        {
            var append = outbox.AppendAsync(1, OutboxCrashTests.Payload(taken.Count, 30));
            if (!append.IsCompleted)
            {
                taken.Add(append);
                Assert.InRange(taken.Count, 1, 8); // the writer holds a group of at most three beside the queue
                continue;
            }

            // Between the two questions the writer may have taken its first group; then there is room again.
            refused = await append;
            var probe = new TestRecord(taken.Count);
            if (!outbox.TryAppend(probe)) break;
            taken.Add(probe.Done);
        }

        Assert.Contains(refused.Status, new[] { AppendStatus.Busy, AppendStatus.Unavailable });
        LetGo();
        foreach (var append in taken) Assert.True((await append).IsDurable);
        Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(50, 30))).IsDurable);
        Assert.Equal(Enumerable.Range(0, taken.Count).Append(50), sink.Numbers);
    }

    [ContractFact]
    public async Task Append_WhatNoLongerHolds_StoresNothingAndSaysSo()
    {
        var sink = new RecordingSink();
        using (var outbox = Open(sink))
        {
            Hold();
            var first = outbox.AppendAsync(1, OutboxCrashTests.Payload(0, 30));
            await Task.Delay(20);
            // True when they are made, false by the time they are written: each is written alone or after the one before.
            var second = outbox.AppendAsync(2, OutboxCrashTests.Payload(1, 30), () => sink.Records.Count == 0);
            var third = outbox.AppendAsync(3, OutboxCrashTests.Payload(2, 30));
            LetGo();
            Assert.True((await first).IsDurable);
            Assert.True((await third).IsDurable);
            var outcome = await second;
            // It may have been written in one group with the first, before that was applied.
            if (outcome.IsDurable) Assert.Equal([0, 1, 2], sink.Numbers);
            else Assert.Equal((AppendStatus.Stale, 2), (outcome.Status, sink.Records.Count));
            Assert.Equal(AppendStatus.Stale, (await outbox.AppendAsync(4, OutboxCrashTests.Payload(4, 30), () => false)).Status);
            Assert.True((await outbox.AppendAsync(5, OutboxCrashTests.Payload(5, 30), () => true)).IsDurable);
        }

        var again = new RecordingSink();
        Open(again).Dispose();
        Assert.Equal(sink.Numbers, again.Numbers);
        Assert.DoesNotContain(4, again.Numbers);
    }

    [ContractFact]
    public async Task Append_SameNameTwice_BothAreToldThatItIsDurable()
    {
        var sink = new RecordingSink();
        var first = new TestRecord(1, Hash256.Sha256([1]));
        var second = new TestRecord(1, Hash256.Sha256([1]));
        var third = new TestRecord(1, Hash256.Sha256([1]));
        using (var outbox = Open(sink))
        {
            Hold();
            Assert.True(outbox.TryAppend(first) & outbox.TryAppend(second));
            LetGo();
            Assert.True((await first.Done).IsDurable && (await second.Done).IsDurable);
            Assert.True(outbox.TryAppend(third));
            Assert.True((await third.Done).IsDurable);
            Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(2, 30))).IsDurable);
            Assert.Equal(OutboxCrashTests.Payload(1, 30), outbox.Read((await third.Done).Position));
        }

        var again = new RecordingSink();
        Open(again).Dispose();
        Assert.Contains(1, again.Numbers);
        Assert.Equal(2, again.Numbers.Last());
    }

    [ContractFact]
    public async Task Append_SmallestAndLargestPayload_ComeBackWhole()
    {
        var sink = new RecordingSink();
        byte[] largest;
        using (var outbox = Open(sink))
        {
            largest = OutboxCrashTests.Payload(3, Defaults.MaxPayload);
            Assert.True((await outbox.AppendAsync(9, Array.Empty<byte>())).IsDurable);
            var outcome = await outbox.AppendAsync(255, largest);
            Assert.True(outcome.IsDurable);
            Assert.Equal(largest, outbox.Read(outcome.Position));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => outbox.AppendAsync(0, largest));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => outbox.AppendAsync(1, new byte[Defaults.MaxPayload + 1]));
        }

        var again = new RecordingSink();
        Open(again).Dispose();
        Assert.Equal([(byte)9, (byte)255], again.Records.Select(record => record.Type));
        Assert.Equal(largest, again.Records[1].Payload);
    }

    [ContractFact]
    public async Task Open_Again_AppliesTheSameRecordsEachTime()
    {
        var live = new RecordingSink();
        using (var outbox = Open(live))
            foreach (var number in Enumerable.Range(0, 100)) Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(number, 600))).IsDurable);
        for (var life = 0; life < 3; life++)
        {
            var sink = new RecordingSink();
            using var outbox = Open(sink);
            Assert.Equal(live.Records.Select(record => (record.Position, record.Type)), sink.Records.Select(record => (record.Position, record.Type)));
            Assert.All(live.Records.Zip(sink.Records), pair => Assert.Equal(pair.First.Payload, pair.Second.Payload));
            Assert.Equal(live.Records[42].Payload, outbox.Read(live.Records[42].Position));
            Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(100 + life, 20))).IsDurable);
            live = sink;
        }
    }

    [ContractFact]
    public async Task Open_WhileAnotherWrites_LeavesOneWriter()
    {
        var sink = new RecordingSink();
        using var first = Open(sink);
        Assert.True((await first.AppendAsync(1, OutboxCrashTests.Payload(1, 30))).IsDurable);
        IOutbox? second = null;
        try
        {
            second = Open(new RecordingSink());
        }
        catch (OutboxLockedException)
        {
            // The second was refused.
        }

        using (second)
        {
            var ofFirst = (await first.AppendAsync(1, OutboxCrashTests.Payload(2, 30))).IsDurable;
            var ofSecond = second is not null && (await second.AppendAsync(1, OutboxCrashTests.Payload(3, 30))).IsDurable;
            Assert.True(ofFirst ^ ofSecond, $"first {ofFirst}, second {ofSecond}");
            if (ofFirst) return;
            Assert.Equal(AppendStatus.Fenced, first.Trouble?.Status);
            Assert.False(first.TryAppend(new TestRecord(4)));
            Assert.Equal([1], sink.Numbers.Where(number => number == 2).Append(1)); // nothing of the refused record was applied
        }
    }

    [ContractFact]
    public async Task Open_RecordAltered_RefusesAndNamesIt()
    {
        var position = await Written(40, 15);
        Damage(position);
        var refusal = Assert.Throws<OutboxDamagedException>(() => Open(new RecordingSink()));
        Assert.Equal(position, refusal.Position);
        Assert.Contains("Nothing was changed", refusal.Message, StringComparison.Ordinal);
    }

    [ContractFact]
    public async Task Open_RecordMissing_Refuses()
    {
        Remove(await Written(2000, 100));
        Assert.Throws<OutboxDamagedException>(() => Open(new RecordingSink()));
    }

    [ContractFact]
    public async Task Dispose_WithRecordsInTheQueue_StoresThemAndRefusesMore()
    {
        var outbox = Open(new RecordingSink());
        var appends = Enumerable.Range(0, 50).Select(number => outbox.AppendAsync(1, OutboxCrashTests.Payload(number, 100))).ToArray();
        outbox.Dispose();
        Assert.All(await Task.WhenAll(appends), outcome => Assert.True(outcome.IsDurable, outcome.Detail));
        Assert.Equal(AppendStatus.Failed, (await outbox.AppendAsync(1, OutboxCrashTests.Payload(50, 100))).Status);
        Assert.False(outbox.TryAppend(new TestRecord(51)));
        var again = new RecordingSink();
        Open(again).Dispose();
        Assert.Equal(Enumerable.Range(0, 50), again.Numbers);
    }

    // Writes so many records, in two groups at least, and returns where one of the first half lies.
    private async Task<RecordPosition> Written(int records, int chosen)
    {
        using var outbox = Open(new RecordingSink());
        var positions = new List<RecordPosition>();
        foreach (var half in new[] { 0, records / 2 })
        {
            var appends = Enumerable.Range(half, records / 2).Select(number => outbox.AppendAsync(1, OutboxCrashTests.Payload(number, 600))).ToArray();
            foreach (var outcome in await Task.WhenAll(appends))
            {
                Assert.True(outcome.IsDurable, outcome.Detail);
                positions.Add(outcome.Position);
            }
        }

        Assert.InRange(chosen, 0, records / 2 - 1);
        return positions[chosen];
    }
}

/// <summary>A record that lays itself out and tells what became of it.</summary>
internal sealed class TestRecord(int number, Hash256? name = null) : OutboxRecord
{
    private readonly TaskCompletionSource<AppendOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override byte Type => 1;

    public override int Length => 30;

    public override Hash256? Name => name;

    public Task<AppendOutcome> Done => _done.Task;

    public override void Write(Span<byte> payload) => OutboxCrashTests.Payload(number, 30).CopyTo(payload);

    public override void Complete(AppendOutcome outcome) => _done.SetResult(outcome);
}
