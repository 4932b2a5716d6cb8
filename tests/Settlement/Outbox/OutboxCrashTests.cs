using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

/// <summary>Power loss at every operation: nothing acknowledged is lost, nothing is invented, order holds.</summary>
public sealed class OutboxCrashTests
{
    private const string Folder = "/data";

    // Small segments so that rolls are frequent.
    private static readonly OutboxOptions Options = new() { SegmentSize = 4096, MaxGroupBytes = 1024 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Outbox_PowerLostAtEveryOperation_KeepsWhatWasAcknowledged(int seed)
    {
        // How records fall into groups is the scheduler's choice, so the number of operations is too: go on until none is left to cut.
        for (var at = 1; ; at++)
        {
            var disk = new SimulatedDisk(seed * 1000 + at) { CrashAt = at };
            var acknowledged = await Load(disk, new RecordingSink(), seed);
            if (!disk.FaultBit)
            {
                Assert.True(at > 50, $"only {at - 1} crash points were reached");
                return;
            }

            disk.Reboot();
            AssertKept(disk, acknowledged, $"seed {seed}, operation {at}");
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Outbox_PowerLostTwice_KeepsWhatBothLivesAcknowledged(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 60; run++)
        {
            var disk = new SimulatedDisk(seed * 1000 + run) { CrashAt = random.Next(8, 70) };
            var first = await Load(disk, new RecordingSink(), seed);
            disk.Reboot();
            disk.CrashAt = disk.Operations + random.Next(1, 40);
            var second = await Load(disk, new RecordingSink(), seed, from: 1000);
            disk.Reboot();
            AssertKept(disk, [.. first, .. second], $"seed {seed}, run {run}");
        }
    }

    [Fact]
    public async Task Outbox_SyncFails_AcknowledgesNothingAfterwards()
    {
        var disk = new SimulatedDisk(5);
        var sink = new RecordingSink();
        using var outbox = SegmentOutbox.Open(disk, Folder, Options, sink);
        Assert.True((await outbox.AppendAsync(1, Payload(0, 40))).IsDurable);
        disk.FailSyncAt = disk.Operations + 1;

        var failed = await outbox.AppendAsync(1, Payload(1, 40));
        var later = await outbox.AppendAsync(1, Payload(2, 40));

        Assert.True(disk.FaultBit);
        Assert.Equal(AppendStatus.Failed, failed.Status);
        Assert.Contains("fdatasync", failed.Detail, StringComparison.Ordinal);
        Assert.Equal(AppendStatus.Failed, later.Status);
        Assert.Equal([0], sink.Numbers);
        Assert.Equal(AppendStatus.Failed, outbox.Trouble?.Status);
    }

    [Fact]
    public async Task Outbox_DiskFull_SaysSoAndGoesOnWhenSpaceReturns()
    {
        var disk = new SimulatedDisk(6) { FreeBytes = 4096 };
        var sink = new RecordingSink();
        using (var outbox = SegmentOutbox.Open(disk, Folder, Options, sink))
        {
            var stored = 0;
            AppendOutcome outcome;
            while ((outcome = await outbox.AppendAsync(1, Payload(stored, 200))).IsDurable) stored++;
            Assert.True(disk.FaultBit);
            Assert.Equal(AppendStatus.DiskFull, outcome.Status);
            Assert.Equal(AppendStatus.DiskFull, outbox.Trouble?.Status);

            disk.FreeBytes = 1 << 20;
            Assert.True((await outbox.AppendAsync(1, Payload(stored, 200))).IsDurable);
            Assert.Null(outbox.Trouble);
            Assert.Equal(Enumerable.Range(0, stored + 1), sink.Numbers);
        }

        var again = new RecordingSink();
        SegmentOutbox.Open(disk, Folder, Options, again).Dispose();
        Assert.Equal(sink.Numbers, again.Numbers);
    }

    /// <summary>Appends until everything is written or the disk is down; returns the numbers that were acknowledged.</summary>
    private static async Task<List<int>> Load(SimulatedDisk disk, RecordingSink sink, int seed, int from = 0)
    {
        var random = new Random(seed);
        var acknowledged = new List<int>();
        SegmentOutbox outbox;
        try
        {
            outbox = SegmentOutbox.Open(disk, Folder, Options, sink);
        }
        catch (Settlement.Disk.DiskException)
        {
            return acknowledged;
        }

        using (outbox)
        {
            for (var number = from; number < from + 60;)
            {
                var batch = Enumerable.Range(number, random.Next(1, 5)).Select(n => (Number: n, Done: outbox.AppendAsync(1, Payload(n, random.Next(4, 300))))).ToArray();
                number += batch.Length;
                foreach (var (n, done) in batch)
                    if ((await done).IsDurable) acknowledged.Add(n);
            }
        }

        return acknowledged;
    }

    private static void AssertKept(SimulatedDisk disk, List<int> acknowledged, string where)
    {
        var recovered = new RecordingSink();
        SegmentOutbox.Open(disk, Folder, Options, recovered).Dispose();
        var numbers = recovered.Numbers.ToList();
        Assert.True(acknowledged.TrueForAll(numbers.Contains), where + ": an acknowledged record is lost");
        Assert.True(numbers.SequenceEqual(numbers.Distinct().Order()), where + ": records are repeated or out of order");
        foreach (var (_, _, payload) in recovered.Records)
            Assert.True(payload.AsSpan().SequenceEqual(Payload(BitConverter.ToInt32(payload), payload.Length)), where + ": a record was invented");
    }

    internal static byte[] Payload(int number, int length)
    {
        var payload = new byte[Math.Max(4, length)];
        new Random(number).NextBytes(payload);
        BitConverter.TryWriteBytes(payload, number);
        return payload;
    }
}
