using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>Everything at once, from a seed: crashes, reorganisations, lost pools and answers, fee spikes, rotations of the key. At the end all is final, once.</summary>
public sealed class SoakTests
{
    // Eight take two seconds; a long soak asks for more.
    private static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("OG_SOAK_SEEDS"), out var seeds) ? seeds : 8;

    [AnvilFact]
    public async Task Settler_RandomFaults_EndsWithEverythingFinalOnce()
    {
        var bites = new int[8];
        for (var seed = 1; seed <= Seeds; seed++)
        {
            // A chain of its own for each seed: a failure replays alone, and anvil forgets old states after hundreds of blocks.
            var anvil = new Anvil();
            await anvil.InitializeAsync();
            try
            {
                await Run(anvil, seed, bites);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
            finally
            {
                await anvil.DisposeAsync();
            }
        }

        Assert.All(bites, count => Assert.True(count > 0, "a fault never bit: " + string.Join(",", bites)));
    }

    private static async Task Run(Anvil anvil, int seed, int[] bites)
    {
        var random = new Random(seed);
        var disk = new SimulatedDisk(seed);
        using var engine = new Doubles.Engine(anvil, $"soak {seed}", disk, "/data").Start();
        var floor = await anvil.BlockNumber();
        var batches = new List<SealedBatch>();
        TestEpoch? retiring = null; // replaced, and not zeroed yet
        for (var step = 0; step < 60; step++)
        {
            switch (random.Next(14))
            {
                case 0 or 1 or 2: batches.Add(await engine.Accept(random.Next(1, 4), random.Next(3) == 0 ? retiring : null)); break;
                case 3 or 4 or 5: await anvil.Mine(); break;
                case 6:
                    var depth = (ulong)random.Next(1, 13);
                    if (await anvil.BlockNumber() < floor + depth) break;
                    await anvil.Call("anvil_rollback", $"[{depth}]");
                    bites[0]++;
                    break;
                case 7:
                    await anvil.Call("anvil_dropAllTransactions", "[]");
                    bites[1]++;
                    break;
                case 8:
                    var lost = engine.Faults;
                    var before = lost.Bites;
                    lost.LoseAnswer = text => text.Contains("eth_sendRawTransaction", StringComparison.Ordinal) && lost.Bites == before;
                    await engine.Tick();
                    bites[2] += lost.Bites - before;
                    lost.LoseAnswer = null;
                    break;
                case 9:
                    engine.Stop();
                    disk.Reboot();
                    engine.Start(newEpoch: random.Next(2) == 0);
                    retiring = null;
                    bites[3]++;
                    break;
                case 10:
                    await anvil.Call("anvil_setNextBlockBaseFeePerGas", "[\"0x4a817c800\"]");
                    await anvil.Mine();
                    bites[4]++;
                    break;
                case 11:
                    retiring = await engine.Rotate();
                    bites[6]++;
                    break;
                case 12:
                    disk.CrashAt = disk.Operations + random.Next(1, 4);
                    if (await CrashDuringARotation(engine, disk)) bites[7]++;
                    retiring = null;
                    break;
                default:
                    disk.CrashAt = disk.Operations + random.Next(1, 6);
                    await CrashDuringATick(engine, disk);
                    bites[5]++;
                    break;
            }

            await engine.Tick();
        }

        batches.Add(await engine.Accept());
        await engine.RunUntilFinal([.. batches]);
        await engine.Audit([.. batches]);
    }

    private static async Task CrashDuringATick(Doubles.Engine engine, SimulatedDisk disk)
    {
        try
        {
            await engine.Tick();
        }
        catch (Exception crash) when (crash is IOException or Settling.SettlementStoppedException)
        {
        }

        engine.Stop();
        disk.Reboot();
        engine.Start();
    }

    /// <summary>Every key is gone afterwards, and the epoch that was being announced may be in the journal or not.</summary>
    private static async Task<bool> CrashDuringARotation(Doubles.Engine engine, SimulatedDisk disk)
    {
        try
        {
            await engine.Rotate();
            await engine.Tick();
        }
        catch (Exception crash) when (crash is IOException or Settling.SettlementStoppedException)
        {
        }

        var crashed = disk.FaultBit;
        engine.Stop();
        disk.Reboot();
        engine.Start(newEpoch: true);
        return crashed;
    }
}
