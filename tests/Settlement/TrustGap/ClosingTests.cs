using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.TrustGap;

/// <summary>When a settlement batch closes, and that it says why.</summary>
public sealed class ClosingTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SteppedClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [AnvilFact]
    public async Task Close_Adaptive_WaitsUntilTheOldestNearsItsObjectiveAndLearnsHowLongAnAnchorTakes()
    {
        using var engine = await Start(nameof(Close_Adaptive_WaitsUntilTheOldestNearsItsObjectiveAndLearnsHowLongAnAnchorTakes));
        var first = await engine.Accept();
        await Wait(engine, 29);
        Assert.Equal(ReceiptStage.Verified, Stage(engine, first));
        await Wait(engine, 2); // nothing is known of anchors yet: half of the minute is left for this one
        Assert.Equal(CloseReason.Objective, await Anchored(engine, first, seconds: 5));

        var second = await engine.Accept();
        await Wait(engine, 53); // the first took five seconds from its closing
        Assert.Equal(ReceiptStage.Verified, Stage(engine, second));
        await Wait(engine, 2);
        Assert.Equal(CloseReason.Objective, await Anchored(engine, second, seconds: 5));
        var closes = engine.Service.Snapshot().Closes;
        Assert.Equal((2, 0, CloseReason.Objective), (closes.Counts[CloseReason.Objective], closes.Counts[CloseReason.Age], closes.Last));
        Assert.Equal((6, 0), (engine.Service.Snapshot().Objective.Met, engine.Service.Snapshot().Objective.Missed));

        engine.Stop();
        engine.Start();
        closes = engine.Service.Snapshot().Closes;
        Assert.Equal((0, CloseReason.Objective), (closes.Counts[CloseReason.Objective], closes.Last)); // counted by this process; told by the journal
        Assert.Equal(CloseReason.Objective, engine.Service.Find(second.StatementId)!.ClosedBecause);
    }

    [AnvilFact]
    public async Task Close_Adaptive_GasGetsCheapAmongTheLastBlocks_ClosesBeforeTheObjective()
    {
        using var engine = await Start(nameof(Close_Adaptive_GasGetsCheapAmongTheLastBlocks_ClosesBeforeTheObjective));
        var batch = await engine.Accept();
        for (var block = 0; block < 40; block++) await Block(engine, gwei: 20 + (block % 3));
        await Block(engine, gwei: 20);
        await Wait(engine, 3); // old enough, and the fee is among the cheapest, but hardly cheaper
        Assert.Equal(0, engine.Service.Snapshot().Closes.Counts[CloseReason.CheapGas]);
        await Block(engine, gwei: 5);
        Assert.Equal(CloseReason.CheapGas, await Anchored(engine, batch, seconds: 1));

        var young = await engine.Accept();
        await Block(engine, gwei: 5);
        Assert.Equal(1, engine.Service.Snapshot().Closes.Counts[CloseReason.CheapGas]); // cheap, and younger than the least age
        await Wait(engine, 2);
        Assert.Equal(CloseReason.CheapGas, await Anchored(engine, young, seconds: 1));
    }

    [AnvilFact]
    public async Task Close_Adaptive_FeeBelowTheConfiguredOne_IsCheapWithoutHistory()
    {
        using var engine = await Start(
            nameof(Close_Adaptive_FeeBelowTheConfiguredOne_IsCheapWithoutHistory), options => options with { Closing = options.Closing with { CheapFee = 10_000_000_000 } });
        var batch = await engine.Accept();
        await Block(engine, gwei: 11);
        await Wait(engine, 3);
        Assert.Equal(ReceiptStage.Verified, Stage(engine, batch));
        await Block(engine, gwei: 10);
        Assert.Equal(CloseReason.CheapGas, await Anchored(engine, batch, seconds: 1));
    }

    [AnvilFact]
    public async Task Close_Adaptive_ObjectiveThatCannotBeMet_ClosesByAge()
    {
        using var engine = await Start(
            nameof(Close_Adaptive_ObjectiveThatCannotBeMet_ClosesByAge), options => options with { Objective = options.Objective with { Within = TimeSpan.FromSeconds(4) } });
        var first = await engine.Accept();
        await Wait(engine, 3);
        Assert.Equal(CloseReason.Objective, await Anchored(engine, first, seconds: 60));
        var second = await engine.Accept();
        await Wait(engine, 1);
        Assert.Equal(ReceiptStage.Verified, Stage(engine, second));
        await Wait(engine, 1);
        Assert.Equal(CloseReason.Age, await Anchored(engine, second, seconds: 1));
    }

    [AnvilFact]
    public async Task Close_Adaptive_FullAndAsked_NeedNeitherObjectiveNorCheapGas()
    {
        using var engine = await Start(nameof(Close_Adaptive_FullAndAsked_NeedNeitherObjectiveNorCheapGas), options => options with { MaxBatchStatements = 2 });
        var asked = await engine.Accept();
        await engine.Tick();
        Assert.Equal(ReceiptStage.Verified, Stage(engine, asked));
        engine.Service.CloseBatch();
        Assert.Equal(CloseReason.Asked, await Anchored(engine, asked, seconds: 1));
        var (one, two) = (await engine.Accept(), await engine.Accept());
        Assert.Equal(CloseReason.Full, await Anchored(engine, two, seconds: 1));
        Assert.Equal(CloseReason.Full, engine.Service.Find(one.StatementId)!.ClosedBecause);
    }

    /// <summary>An engine whose key is registered; a batch is at least two seconds old when cheap gas closes it, and final is not waited for.</summary>
    private async Task<Doubles.Engine> Start(string seed, Func<SettlementOptions, SettlementOptions>? change = null)
    {
        var engine = new Doubles.Engine(anvil, seed, new LinuxDisk(), _folder.Path) { Clock = _clock };
        var options = engine.Options with
        {
            MaxBatchAge = TimeSpan.FromSeconds(2), FinalityDepth = 1, MaxFeePerGas = 1_000_000_000_000,
            Objective = new() { Stage = ReceiptStage.Anchored, Within = TimeSpan.FromMinutes(1) }, Closing = new() { Rule = ClosingRule.Adaptive },
        };
        engine.Options = change?.Invoke(options) ?? options;
        engine.Start();
        for (var i = 0; i < 4; i++)
        {
            await engine.Tick();
            await Mine(gwei: 15);
        }

        return engine;
    }

    private async Task Wait(Doubles.Engine engine, double seconds)
    {
        _clock.StepSeconds(seconds);
        await engine.Tick();
    }

    private async Task Block(Doubles.Engine engine, int gwei)
    {
        await Mine(gwei);
        await engine.Tick();
    }

    private async Task Mine(int gwei)
    {
        await anvil.Call("anvil_setNextBlockBaseFeePerGas", $"[\"0x{(ulong)gwei * 1_000_000_000:x}\"]");
        await anvil.Mine();
    }

    /// <summary>Brings the batch into a block, so many seconds after it was closed.</summary>
    private async Task<CloseReason> Anchored(Doubles.Engine engine, SealedBatch batch, double seconds)
    {
        await engine.Tick();
        _clock.StepSeconds(seconds);
        for (var round = 0; Stage(engine, batch) < ReceiptStage.Anchored; round++)
        {
            Assert.True(round < 20, string.Join("; ", engine.Service.Conditions));
            await Mine(gwei: 15);
            await engine.Tick();
        }

        return engine.Service.Find(batch.StatementId)!.ClosedBecause;
    }

    private static ReceiptStage Stage(Doubles.Engine engine, SealedBatch batch) => engine.Service.Find(batch.StatementId)!.Stage;
}
