using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

/// <summary>Power is lost at enumerated operations of a life that archives, merges, takes snapshots and prunes almost all the time.</summary>
public sealed class KeeperCrashTests
{
    // Some thirty points in a few seconds; a smaller step enumerates more of them.
    private static int Step => int.TryParse(Environment.GetEnvironmentVariable("OG_CRASH_STEP"), out var step) ? step : 83;

    [Fact]
    public async Task Keeper_PowerLostAtManyOperations_LosesNothingAndGoesOn()
    {
        var (crashes, snapshots, pruned) = (0, 0L, 0u);
        for (var at = 2; ; at += Step)
        {
            var disk = new SimulatedDisk(at) { CrashAt = at };
            using var engine = Open(disk);
            var acknowledged = new List<SealedBatch>();
            var crashed = await Live(engine, acknowledged);
            engine.Stop();
            if (!crashed) break;
            Assert.True(disk.FaultBit);
            crashes++;
            disk.Reboot();

            engine.Start();
            await engine.Settle(acknowledged);
            engine.Look(acknowledged);
            acknowledged.AddRange(await engine.Grow(8, 4));
            var before = engine.Look(acknowledged);
            snapshots += engine.Service.Storage.SnapshotsTaken;
            pruned = Math.Max(pruned, engine.Service.Storage.FirstSegment);
            engine.Stop();
            engine.Start();
            Assert.Equal(before, engine.Look(acknowledged));
            Assert.Equal((ulong)acknowledged.Count, (ulong)acknowledged.Select(batch => engine.Service.Find(batch.StatementId)!.Leaf).Distinct().Count());
        }

        Assert.True(crashes >= 10, $"only {crashes} crash points were reached");
        Assert.True(snapshots >= crashes && pruned > 1, $"{snapshots} snapshots, pruned below segment {pruned}: what is to be tested did not happen");
    }

    private static KeptEngine Open(SimulatedDisk disk)
    {
        var engine = new KeptEngine(disk);
        engine.Options = engine.Options with
        {
            Outbox = new Settlement.Outbox.OutboxOptions { SegmentSize = 4096 },
            Storage = engine.Options.Storage with { PruneAfter = TimeSpan.FromMinutes(1) },
        };
        return engine;
    }

    private static async Task<bool> Live(KeptEngine engine, List<SealedBatch> acknowledged)
    {
        try
        {
            engine.Start();
            for (var round = 0; round < 70; round++)
            {
                for (var i = 0; i < 4; i++)
                {
                    var batch = engine.NewBatch(1);
                    if (!engine.Service.TryAccept(batch)) return true;
                    if ((await engine.Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).Status != State.WaitStatus.Reached) return true;
                    acknowledged.Add(batch);
                }

                await engine.Service.TickAsync(CancellationToken.None);
                engine.Clock.Advance(TimeSpan.FromMinutes(1));
            }

            return false;
        }
        catch (Exception crash) when (crash is DiskException or SettlementStoppedException or IOException)
        {
            return true;
        }
    }
}
