using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>
/// Power is lost at enumerated disk operations, and the process dies at enumerated calls to the node, against a real
/// chain. After the restart every statement that was acknowledged becomes final exactly once.
/// </summary>
public sealed class CrashTests(Anvil anvil) : IClassFixture<Anvil>
{
    [AnvilFact]
    public async Task Settler_PowerLostAtEveryDiskOperation_SettlesEverythingOnce()
    {
        var crashes = 0;
        for (var at = 1; ; at++)
        {
            var disk = new SimulatedDisk(at) { CrashAt = at };
            if (!await Scenario(disk, $"power {at}", newEpoch: at % 2 == 0)) break;
            crashes++;
        }

        Assert.True(crashes >= 100, $"only {crashes} crash points were reached");
    }

    [AnvilFact]
    public async Task Settler_DiesAtEveryCallThatSends_SettlesEverythingOnce()
    {
        var crashes = 0;
        for (var call = 0; ; call++)
        {
            var arrives = call % 2 == 0;
            var seen = 0;
            var died = false;
            var disk = new SimulatedDisk(call);
            bool Dies(string text)
            {
                if (died || !text.Contains("eth_sendRawTransaction", StringComparison.Ordinal) || seen++ != call / 2) return died;
                disk.CrashAt = 0; // the process dies here: nothing after this reaches the disk
                return died = true;
            }

            await Scenario(disk, $"send {call}", newEpoch: call % 4 < 2, faults =>
            {
                if (arrives) faults.LoseAnswer = Dies;
                else faults.Refuse = Dies;
            });
            if (!died) break;
            crashes++;
        }

        Assert.True(crashes >= 6, $"only {crashes} crash points were reached");
    }

    /// <summary>Two batches, a crash somewhere, a restart, one more batch; true when the crash happened.</summary>
    private async Task<bool> Scenario(SimulatedDisk disk, string seed, bool newEpoch, Action<FaultHandler>? bend = null)
    {
        using var engine = new Doubles.Engine(anvil, seed, disk, "/data");
        var batches = new List<SealedBatch>();
        var acknowledged = new List<SealedBatch>();
        var crashed = await Live(engine, disk, batches, acknowledged, bend);
        engine.Stop();
        disk.Reboot();

        engine.Start(newEpoch);
        foreach (var batch in acknowledged) Assert.NotNull(engine.Service.Find(batch.StatementId));
        foreach (var batch in batches) // the holders of fast receipts hand them in again
            Assert.Contains((await engine.Service.SubmitAsync(batch.Receipt(0))).Status, new[] { SubmitStatus.Accepted, SubmitStatus.AlreadyKnown });
        batches.Add(await engine.Accept());
        try
        {
            await engine.RunUntilFinal([.. batches]);
            await engine.Audit([.. batches]);
            Assert.True(engine.Service.Storage.ArchivedStatements > 0, "nothing left memory: the archive was not tested");
        }
        catch (Exception failure) when (failure is Xunit.Sdk.XunitException or SettlementStoppedException)
        {
            throw new InvalidOperationException($"crash point \"{seed}\": {failure.Message}", failure);
        }

        return crashed;
    }

    private async Task<bool> Live(Doubles.Engine engine, SimulatedDisk disk, List<SealedBatch> batches, List<SealedBatch> acknowledged, Action<FaultHandler>? bend)
    {
        try
        {
            engine.Start();
            bend?.Invoke(engine.Faults);
            for (var round = 0; round < 12; round++)
            {
                if (round is 0 or 3)
                {
                    var batch = engine.NewBatch(2);
                    batches.Add(batch);
                    if (engine.Service.TryAccept(batch))
                    {
                        var outcome = await engine.Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
                        if (outcome.Status == State.WaitStatus.Reached) acknowledged.Add(batch);
                    }
                }

                await engine.Tick();
                await anvil.Mine();
            }

            return disk.FaultBit; // the disk may fail in the outbox's own thread
        }
        catch (Exception crash) when (crash is DiskException or SettlementStoppedException or IOException)
        {
            return true;
        }
    }
}
