using Xunit.Abstractions;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>
/// The host is killed at every step: at each disk operation (power is lost, and what was not synced may be gone), and before
/// and after each call to the node. One seed fixes the scenario and counts the steps, so that every point is reached.
/// </summary>
public sealed class CrashFaultTests(ITestOutputHelper output) : FaultTable
{
    [AnvilFact]
    public async Task Host_KilledAtEveryStep_SettlesEverythingOnce()
    {
        // One: it has hundreds of points, and each is a run of its own.
        var (first, last) = Seeds(few: 1);
        for (var seed = first; seed <= last; seed++) await WithNode(seed, async () =>
        {
            // Every other disk operation, and all of them in a run of the fault table.
            var step = Environment.GetEnvironmentVariable("OG_FAULT_SEEDS") is null ? 2 : 1;
            var (disk, calls) = (await EveryPoint(seed, OnDisk, step), await EveryPoint(seed, AtCalls, 1));
            output.WriteLine($"seed {seed}: {disk} disk operations, {calls} moments around calls");
            Assert.True(disk + calls >= 200 && disk >= 100, $"seed {seed}: only {disk} disk operations and {calls} moments around calls were crash points");
        });
    }

    /// <summary>Runs the scenario once per point, until one run ends without reaching its point; how many did.</summary>
    private async Task<int> EveryPoint(int seed, Action<int, SimulatedDisk, Doubles.Engine> arm, int step)
    {
        for (var (point, reached) = (1, 0); ; point += step, reached++)
        {
            try
            {
                if (!await Run(seed, point, arm)) return reached;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}, {arm.Method.Name}, point {point}: {failure.Message}", failure);
            }
        }
    }

    private static void OnDisk(int point, SimulatedDisk disk, Doubles.Engine engine) => disk.CrashAt = disk.Operations + point;

    /// <summary>Odd points: the process dies before the node sees the call. Even ones: after the node answered, before the answer counts.</summary>
    private static void AtCalls(int point, SimulatedDisk disk, Doubles.Engine engine)
    {
        var calls = 0;
        var died = false;
        bool Dies(string request)
        {
            if (died || calls++ != (point - 1) / 2) return died;
            disk.CrashAt = 0; // nothing after this reaches the disk
            return died = true;
        }

        if (point % 2 == 1) engine.Faults.Refuse = Dies;
        else engine.Faults.LoseAnswer = Dies;
    }

    /// <summary>True when the crash happened.</summary>
    private async Task<bool> Run(int seed, int point, Action<int, SimulatedDisk, Doubles.Engine> arm)
    {
        var random = new Random(seed);
        var disk = new SimulatedDisk((seed * 10_000) + point);
        using var engine = new Doubles.Engine(Node, $"{arm.Method.Name} {seed} {point}", disk, "/data").Start();
        arm(point, disk, engine);
        var (batches, acknowledged) = (new List<SealedBatch>(), new List<SealedBatch>());
        var crashed = await Live(engine, disk, random, batches, acknowledged);
        engine.Stop();
        disk.Reboot();

        engine.Start(newEpoch: point % 3 == 0);
        foreach (var batch in acknowledged) Assert.NotNull(engine.Service.Find(batch.StatementId));
        foreach (var batch in batches) // the holders of fast receipts hand them in again
            Assert.Contains((await engine.Service.SubmitAsync(batch.Receipt(0))).Status, new[] { SubmitStatus.Accepted, SubmitStatus.AlreadyKnown });
        batches.Add(await engine.Accept());
        await engine.RunUntilFinal([.. batches]);
        await engine.Audit([.. batches]);
        return crashed;
    }

    /// <summary>Six batches, blocks, and a reorganisation in the middle, as the seed has it.</summary>
    private async Task<bool> Live(Doubles.Engine engine, SimulatedDisk disk, Random random, List<SealedBatch> batches, List<SealedBatch> acknowledged)
    {
        try
        {
            for (var round = 0; round < 27; round++)
            {
                if (round is 0 or 4 or 9 or 14 or 18 or 22)
                {
                    var batch = engine.NewBatch(random.Next(1, 4));
                    batches.Add(batch);
                    if (engine.Service.TryAccept(batch))
                    {
                        var outcome = await engine.Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
                        if (outcome.Status == State.WaitStatus.Reached) acknowledged.Add(batch);
                    }
                }

                await engine.Tick();
                if (round == 11) await Node.Call("anvil_rollback", $"[{random.Next(1, 3)}]");
                else await Node.Mine();
            }

            // The disk may fail in the outbox's own thread, and a call may kill where nothing was to be written any more.
            return disk.FaultBit || disk.CrashAt == 0;
        }
        catch (Exception crash) when (crash is DiskException or SettlementStoppedException or IOException)
        {
            return true;
        }
    }
}
