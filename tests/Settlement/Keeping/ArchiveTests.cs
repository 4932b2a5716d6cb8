using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

public sealed class ArchiveTests
{
    [Fact]
    public async Task Archive_ManyFinalStatements_LeaveMemoryAndAreFoundAfterEveryRestart()
    {
        using var engine = new KeptEngine(new SimulatedDisk(1)).Start();
        var batches = await engine.Grow(150);
        var before = engine.Look(batches);
        Assert.All(before, line => Assert.Contains(" Final ", line, StringComparison.Ordinal));
        for (var life = 0; life < 3; life++)
        {
            Assert.True(engine.Service.Storage.StatementsInMemory < 30, $"{engine.Service.Storage} keeps too many in memory");
            Assert.Equal(before.Count, engine.Service.Snapshot().Final);
            engine.Stop();
            engine.Start();
            Assert.Equal(before, engine.Look(batches));
            var more = await engine.Grow(10);
            before.AddRange(engine.Look(more));
            batches.AddRange(more);
        }

        Assert.Equal(Enumerable.Range(0, batches.Count).Select(leaf => (ulong?)leaf).ToHashSet(), batches.Select(batch => engine.Service.Find(batch.StatementId)!.Leaf).ToHashSet());
    }

    [Fact]
    public async Task Accept_ABatchThatWasArchived_IsKeptOnce()
    {
        using var engine = new KeptEngine(new SimulatedDisk(2)).Start();
        var batches = await engine.Grow(30);
        var final = engine.Service.Snapshot().Final;
        Assert.True(engine.Service.Storage.ArchivedStatements > 20);
        Assert.True(engine.Service.TryAccept(batches[2]));
        Assert.Equal(SubmitStatus.AlreadyKnown, (await engine.Service.SubmitAsync(batches[4].Receipt(0))).Status);
        await engine.Grow(1);
        engine.Stop();
        engine.Start();
        await engine.Grow(1);
        Assert.Equal(2ul, engine.Service.Find(batches[2].StatementId)!.Leaf);
        Assert.Equal((32ul, final + 2), (engine.Service.LogSizes.Size, engine.Service.Snapshot().Final));
    }

    [Fact]
    public async Task Submit_AnotherReceiptOfAnArchivedStatement_IsKnownFromThenOn()
    {
        using var engine = new KeptEngine(new SimulatedDisk(3)).Start();
        var lost = engine.NewBatch(4);
        Assert.Equal(SubmitStatus.Accepted, (await engine.Service.SubmitAsync(lost.Receipt(3))).Status);
        await engine.Settle([lost]);
        await engine.Grow(30);
        Assert.True(engine.Service.Storage.ArchivedStatements > 20);
        Assert.Null(engine.Service.Find(lost.ReceiptId(1)));
        Assert.Equal(SubmitStatus.Accepted, (await engine.Service.SubmitAsync(lost.Receipt(1))).Status);
        for (var life = 0; life < 3; life++)
        {
            Assert.Equal((1u, 3u), (engine.Service.Find(lost.ReceiptId(1))!.Row, engine.Service.Find(lost.ReceiptId(3))!.Row));
            Assert.Equal([(1u, lost.LeafHash(1)), (3u, lost.LeafHash(3))], engine.Service.LeavesOf(lost.StatementId).Order());
            await engine.Grow(20);
            engine.Stop();
            engine.Start();
        }
    }

    [Fact]
    public async Task Open_AfterASnapshot_ReadsOnlyTheTail()
    {
        var disk = new SimulatedDisk(4);
        using var engine = new KeptEngine(disk).Start();
        var batches = await engine.Grow(120);
        var before = engine.Look(batches);
        engine.Stop();
        var tail = engine.Start().Service.Storage.RecordsReplayed;
        engine.Stop();
        foreach (var snapshot in Files(disk, "snapshot-")) disk.Delete(snapshot);
        var replayed = engine.Start().Service.Storage.RecordsReplayed;
        Assert.True(replayed > 4 * tail, $"{replayed} records without a snapshot, {tail} with one");
        Assert.Equal(before, engine.Look(batches));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Open_SnapshotsDamaged_FallsBackAndKnowsEverything(int damaged)
    {
        var disk = new SimulatedDisk(5);
        using var engine = new KeptEngine(disk).Start();
        var batches = await engine.Grow(120);
        var before = engine.Look(batches);
        engine.Stop();
        var intact = engine.Start().Service.Storage.RecordsReplayed;
        engine.Stop();
        foreach (var path in Files(disk, "snapshot-").OrderDescending().Take(damaged))
        {
            var bytes = disk.Snapshot(path);
            bytes[bytes.Length / 2] ^= 4;
            disk.Overwrite(path, bytes);
        }

        engine.Start();
        Assert.True(engine.Service.Storage.RecordsReplayed > intact, "the damaged snapshot was used");
        Assert.Equal(before, engine.Look(batches));
        batches.AddRange(await engine.Grow(40));
        before = engine.Look(batches);
        engine.Stop();
        engine.Start();
        Assert.Equal(before, engine.Look(batches));
    }

    [Fact]
    public async Task Open_AnyPartOfTheArchiveMissing_SaysWhatToDoAndIsMadeAnew()
    {
        var disk = new SimulatedDisk(6);
        using var engine = new KeptEngine(disk).Start();
        var batches = await engine.Grow(60);
        var before = engine.Look(batches);
        engine.Stop();
        disk.Delete(Files(disk, "keys-").First());
        Assert.Contains("delete the folder", Assert.Throws<ArchiveDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
        foreach (var path in Files(disk, "")) disk.Delete(path);
        Assert.Equal(before, engine.Start().Look(batches));
    }

    [Fact]
    public async Task Find_DamagedArchive_IsNamedAndNeverAnsweredWrongly()
    {
        var disk = new SimulatedDisk(7);
        using var engine = new KeptEngine(disk).Start();
        var batches = await engine.Grow(60);
        var before = engine.Look(batches.Take(20));
        var noticedOf = new Dictionary<string, int> { ["statements"] = 0, ["blobs"] = 0, ["keys"] = 0 };
        foreach (var path in Files(disk, "").Where(path => !path.Contains("snapshot", StringComparison.Ordinal)))
        {
            var intact = disk.Snapshot(path);
            var noticed = 0;
            for (var at = 100; at < intact.Length; at += Math.Max(211, intact.Length / 9))
            {
                var bytes = (byte[])intact.Clone();
                bytes[at] ^= 0x10;
                disk.Overwrite(path, bytes);
                try
                {
                    Assert.Equal(before, engine.Look(batches.Take(20)));
                }
                catch (ArchiveDamagedException)
                {
                    noticed++;
                }
            }

            disk.Overwrite(path, intact);
            var kind = Path.GetFileName(path).Split('-')[0];
            if (noticedOf.ContainsKey(kind)) noticedOf[kind] += noticed;
        }

        Assert.All(noticedOf, kind => Assert.True(kind.Value > 0, $"{kind.Key}: no damage was noticed"));
    }

    [Fact]
    public async Task Storage_NewerVersionOfAnyFile_IsRefusedByName()
    {
        var disk = new SimulatedDisk(8);
        using var engine = new KeptEngine(disk).Start();
        var batches = await engine.Grow(40);
        engine.Stop();
        foreach (var kind in new[] { "snapshot-", "keys-" })
        {
            var intact = Files(disk, kind).ToDictionary(path => path, disk.Snapshot);
            foreach (var (path, bytes) in intact) disk.Overwrite(path, Newer(bytes));
            Assert.Contains("another format version", Assert.Throws<ArchiveDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
            foreach (var (path, bytes) in intact) disk.Overwrite(path, bytes);
        }

        const string statements = "/data/archive/statements-00000000.dat";
        disk.Overwrite(statements, Newer(disk.Snapshot(statements)));
        engine.Start();
        Assert.Contains("another format version", Assert.Throws<ArchiveDamagedException>(() => engine.Look(batches)).Message, StringComparison.Ordinal);
        engine.Stop();
        AtomicFileWrite(disk, "/data/outbox/pruned", "OGE pruned v2 1\n");
        Assert.Contains("another format version", Assert.Throws<OutboxDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keeper_DiskFull_SaysSoKeepsServingAndGoesOn()
    {
        var disk = new SimulatedDisk(9);
        using var engine = new KeptEngine(disk);
        engine.Options = engine.Options with { Outbox = new OutboxOptions { SegmentSize = 1 << 20 } };
        engine.Start();
        await engine.Accept(1);
        disk.FreeBytes = 2500; // the journal's segment is reserved already; log and archive have this much
        var batches = new List<SealedBatch>();
        for (var i = 0; i < 40; i++)
        {
            batches.Add(await engine.Accept(1));
            await engine.Service.TickAsync(CancellationToken.None);
        }

        Assert.True(disk.FaultBit);
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.ArchiveFailed);
        disk.FreeBytes = long.MaxValue;
        await engine.Settle(batches);
        await engine.Grow(5);
        Assert.Empty(engine.Service.Conditions);
        engine.Look(batches);
        Assert.True(engine.Service.Storage.ArchivedStatements > 30);
    }

    private static byte[] Newer(byte[] file)
    {
        var newer = (byte[])file.Clone();
        newer[newer.AsSpan().IndexOf((byte)'1')] = (byte)'2';
        return newer;
    }

    private static void AtomicFileWrite(SimulatedDisk disk, string path, string text)
    {
        using var file = disk.Open(path, create: true);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text), 0);
        file.Sync();
    }

    private static List<string> Files(SimulatedDisk disk, string prefix) =>
        [.. disk.List("/data/archive").Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => "/data/archive/" + name).Order(StringComparer.Ordinal)];
}
