using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

public sealed class OutboxDamageTests
{
    private const string Folder = "/data";
    private const string First = "/data/outbox-00000001.seg";
    private const string Second = "/data/outbox-00000002.seg";
    private const string Third = "/data/outbox-00000003.seg";
    private static readonly OutboxOptions Options = new() { SegmentSize = 4096, MaxGroupBytes = 1024 };

    [Fact]
    public async Task Outbox_AcknowledgedRecordFlipped_RefusesAndNamesTheOffset()
    {
        var (disk, sink) = await Written(8, 200);
        var bytes = disk.Snapshot(First);
        var damaged = sink.Records[3].Position;
        bytes[damaged.Offset + 40] ^= 1;
        disk.Overwrite(First, bytes);

        var refusal = Assert.Throws<OutboxDamagedException>(() => Reopen(disk));
        Assert.Equal(damaged, refusal.Position);
        Assert.Contains($"segment 1, offset {damaged.Offset}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outbox_EveryByteOfTheLastRecordFlipped_CutsExactlyThatRecord()
    {
        var (disk, sink) = await Written(5, 50);
        var intact = disk.Snapshot(First);
        var last = (int)sink.Records[^1].Position.Offset;
        for (var at = last; at < last + 24 + 50; at++)
        {
            var bytes = (byte[])intact.Clone();
            bytes[at] ^= 0x40;
            disk.Overwrite(First, bytes);
            Assert.Equal([0, 1, 2, 3], Reopen(disk).Numbers);
        }
    }

    [Fact]
    public async Task Outbox_TornTailCut_NewRecordsFollowCleanly()
    {
        var (disk, _) = await Written(5, 50);
        var bytes = disk.Snapshot(First);
        bytes.AsSpan(bytes.AsSpan().LastIndexOfAnyExcept((byte)0) - 10, 5).Clear();
        disk.Overwrite(First, bytes);

        var sink = new RecordingSink();
        using (var outbox = SegmentOutbox.Open(disk, Folder, Options, sink)) Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(9, 30))).IsDurable);
        Assert.Equal([0, 1, 2, 3, 9], Reopen(disk).Numbers);
    }

    [Fact]
    public async Task Outbox_SealedSegmentTruncated_Refuses()
    {
        var (disk, _) = await Written(30, 200);
        disk.Overwrite(First, disk.Snapshot(First)[..1000]);
        var refusal = Assert.Throws<OutboxDamagedException>(() => Reopen(disk));
        Assert.Contains("acknowledged records end at", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outbox_SegmentMissing_Refuses()
    {
        var (disk, _) = await Written(60, 200);
        Assert.True(disk.Exists(Third));
        disk.Delete(Second);
        var refusal = Assert.Throws<OutboxDamagedException>(() => Reopen(disk));
        Assert.Equal(2u, refusal.Position.Segment);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(54)]
    public async Task Outbox_HeaderChanged_RefusesByName(int at)
    {
        var (disk, _) = await Written(3, 50);
        var bytes = disk.Snapshot(First);
        bytes[at] ^= 2;
        disk.Overwrite(First, bytes);
        Assert.Contains("header is damaged", Assert.Throws<OutboxDamagedException>(() => Reopen(disk)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outbox_NewerVersion_RefusesByName()
    {
        var (disk, _) = await Written(3, 50);
        var bytes = disk.Snapshot(First);
        Assert.Equal((byte)'1', bytes[12]);
        bytes[12] = (byte)'2';
        disk.Overwrite(First, bytes);
        Assert.Contains("another format version", Assert.Throws<OutboxDamagedException>(() => Reopen(disk)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outbox_PayloadContainsAFrame_IsNotMistakenForOne()
    {
        var (disk, sink) = await Written(4, 300);
        var forged = disk.Snapshot(First)[(int)sink.Records[2].Position.Offset..][..320];
        using (var outbox = SegmentOutbox.Open(disk, Folder, Options, new RecordingSink()))
            Assert.True((await outbox.AppendAsync(1, forged)).IsDurable);
        Assert.Equal(5, Reopen(disk).Records.Count);
    }

    [Fact]
    public async Task Outbox_ReadBack_GivesThePayload()
    {
        var (disk, sink) = await Written(30, 200);
        using var outbox = SegmentOutbox.Open(disk, Folder, Options, new RecordingSink());
        foreach (var (position, _, payload) in sink.Records) Assert.Equal(payload, outbox.Read(position));
        Assert.Throws<OutboxDamagedException>(() => outbox.Read(sink.Records[2].Position with { Offset = sink.Records[2].Position.Offset + 8 }));
    }

    [Fact]
    public void Outbox_SecondOpener_IsRefusedByName()
    {
        var folder = Directory.CreateTempSubdirectory("og-outbox-").FullName;
        try
        {
            var disk = new LinuxDisk();
            using (SegmentOutbox.Open(disk, folder, Options, new RecordingSink()))
                Assert.Contains(folder, Assert.Throws<OutboxLockedException>(() => SegmentOutbox.Open(disk, folder, Options, new RecordingSink())).Message, StringComparison.Ordinal);
            Locks.Retake(() => SegmentOutbox.Open(disk, folder, Options, new RecordingSink())).Dispose();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Outbox_ManyWritersOnTheRealDisk_KeepsEveryRecordInOrder()
    {
        var folder = Directory.CreateTempSubdirectory("og-outbox-").FullName;
        try
        {
            var disk = new LinuxDisk();
            var sink = new RecordingSink();
            var options = new OutboxOptions { SegmentSize = 64 << 10 };
            using (var outbox = SegmentOutbox.Open(disk, folder, options, sink))
            {
                var outcomes = await Task.WhenAll(Enumerable.Range(0, 3000).Select(n => outbox.AppendAsync(1, OutboxCrashTests.Payload(n, 100))));
                Assert.All(outcomes, outcome => Assert.True(outcome.IsDurable));
            }

            var recovered = new RecordingSink();
            Locks.Retake(() => SegmentOutbox.Open(disk, folder, options, recovered)).Dispose();
            Assert.Equal(sink.Numbers, recovered.Numbers);
            Assert.Equal(3000, recovered.Records.Count);
            Assert.True(Directory.GetFiles(folder, "*.seg").Length > 3);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static RecordingSink Reopen(SimulatedDisk disk)
    {
        var sink = new RecordingSink();
        SegmentOutbox.Open(disk, Folder, Options, sink).Dispose();
        return sink;
    }

    private static async Task<(SimulatedDisk, RecordingSink)> Written(int records, int size)
    {
        var disk = new SimulatedDisk(1);
        var sink = new RecordingSink();
        using var outbox = SegmentOutbox.Open(disk, Folder, Options, sink);
        for (var n = 0; n < records; n++) Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(n, size))).IsDurable);
        return (disk, sink);
    }
}
