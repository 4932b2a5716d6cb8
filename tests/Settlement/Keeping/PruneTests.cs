using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

public sealed class PruneTests
{
    private static readonly TimeSpan Age = TimeSpan.FromHours(1);

    private readonly SimulatedDisk _disk = new(11);

    [Fact]
    public async Task Prune_OldFinalSegments_GoAndEveryReceiptStaysProvable()
    {
        using var engine = Open();
        var batches = await engine.Grow(700);
        var before = engine.Look(batches);
        await Later(engine);

        Assert.True(engine.Service.Storage.FirstSegment > 5, engine.Service.Storage.ToString());
        Assert.False(_disk.Exists(Segment(1)));
        Assert.Equal(before, engine.Look(batches));
        for (var life = 0; life < 2; life++)
        {
            engine.Stop();
            engine.Start();
            Assert.Equal(before, engine.Look(batches));
            await engine.Grow(3);
        }
    }

    [Fact]
    public async Task Prune_WithAFolder_CopiesBeforeItDeletes()
    {
        using var engine = Open(storage => storage with { PruneTo = "/cold" });
        await engine.Grow(600);
        var first = _disk.Snapshot(Segment(1));
        await Later(engine);
        Assert.False(_disk.Exists(Segment(1)));
        Assert.Equal(first, _disk.Snapshot("/cold/outbox-00000001.seg"));
    }

    [Fact]
    public async Task Prune_YoungOpenOrUnpublished_StaysWhereItIs()
    {
        using var engine = Open();
        await engine.Grow(600);
        Assert.Equal(1u, engine.Service.Storage.FirstSegment); // too young
        engine.Stop();
        engine.Options = engine.Options with { Storage = engine.Options.Storage with { PruneAfter = null } };
        engine.Start();
        engine.Clock.Advance(10 * Age);
        await engine.Grow(3);
        Assert.Equal(1u, engine.Service.Storage.FirstSegment); // off, as it is by default
        Assert.Null(new StorageOptions().PruneAfter);
        engine.Stop();

        // An entry bundle that is not as it was sealed: its statements would be lost with their segments.
        const string bundle = "/data/log/tile/entries/000";
        var bytes = _disk.Snapshot(bundle);
        bytes[200] ^= 1;
        _disk.Overwrite(bundle, bytes);
        engine.Options = engine.Options with { Storage = engine.Options.Storage with { PruneAfter = Age } };
        engine.Start();
        await Later(engine);
        Assert.Equal(1u, engine.Service.Storage.FirstSegment);
    }

    [Fact]
    public async Task Prune_QuarantinedStatement_KeepsItsSegment()
    {
        using var engine = Open();
        await engine.Grow(100);
        var bad = engine.NewBatch(2);
        engine.Verifier.Bad.Add(bad.StatementId);
        Assert.True(engine.Service.TryAccept(bad));
        var batches = await engine.Grow(600);
        await Later(engine);

        Assert.True(engine.Service.Storage.FirstSegment > 5, engine.Service.Storage.ToString());
        engine.Stop();
        engine.Start();
        Assert.Equal(ReceiptStage.Quarantined, engine.Service.Find(bad.ReceiptId(1))!.Statement.Stage);
        Assert.Equal(bad.Statement.ToArray(), engine.Service.ReadStatement(bad.StatementId));
        engine.Look(batches);
    }

    [Fact]
    public async Task Open_PrunedAndNoSnapshotLeft_RefusesByName()
    {
        using var engine = Open();
        await engine.Grow(600);
        await Later(engine);
        engine.Stop();
        foreach (var name in _disk.List("/data/archive").Where(name => name.StartsWith("snapshot-", StringComparison.Ordinal))) _disk.Delete("/data/archive/" + name);
        Assert.Contains("were pruned, and there is no snapshot", Assert.Throws<OutboxDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_SegmentThatWasNotPrunedIsMissing_Refuses()
    {
        using var engine = Open();
        await engine.Grow(600);
        await Later(engine);
        var floor = engine.Service.Storage.FirstSegment;
        engine.Stop();
        _disk.Delete(Segment(floor));
        Assert.Contains($"segment {floor}", Assert.Throws<OutboxDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
    }

    private KeptEngine Open(Func<StorageOptions, StorageOptions>? bend = null)
    {
        var engine = new KeptEngine(_disk);
        var storage = engine.Options.Storage with { PruneAfter = Age };
        engine.Options = engine.Options with { Storage = bend?.Invoke(storage) ?? storage };
        return engine.Start();
    }

    // Snapshots have to pass what is pruned: two are kept.
    private static async Task Later(KeptEngine engine)
    {
        engine.Clock.Advance(2 * Age);
        for (var i = 0; i < 3; i++) await engine.Grow(20);
    }

    private static string Segment(uint number) => $"/data/outbox/outbox-{number:D8}.seg";
}
