using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>Nodes that lose their pool or are killed, and chains that are slow or fast.</summary>
public sealed class NodeFaultTests : FaultTable, IDisposable
{
    private readonly TemporaryFolder _state = new();
    private int _nodes;

    public void Dispose() => _state.Dispose();

    private protected override string StateFile() => Path.Combine(_state.Path, $"state{++_nodes}.json");

    [AnvilFact]
    public Task Node_KilledAndRestartedFromOlderState_SettlesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        await Node.SaveState(); // what the node will come back with
        var (height, anchors) = (await Node.BlockNumber(), (await Node.Anchors(scene.Engine.Log.LogId)).Count);
        for (var i = scene.Random.Next(1, 3); i > 0; i--) await scene.Anchor();
        await Node.Mine(scene.Random.Next(0, 3));
        await scene.Send(); // and one more waits in the pool
        await scene.Engine.Tick();
        await Node.KillAndRestart();
        var lost = anchors + 2 - (await Node.Anchors(scene.Engine.Log.LogId)).Count;
        Assert.True(lost > 0 && await Node.BlockNumber() <= height);
        Assert.Equal("0x0", await Pending()); // the fault bit: nothing is in the pool any more
        await scene.End();
    });

    [AnvilFact]
    public Task Node_LosesItsPool_SendsTheSameBytesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        await scene.Send();
        for (var i = scene.Random.Next(1, 3); i > 0; i--)
        {
            var before = (await Node.Anchors(scene.Engine.Log.LogId)).Count;
            Assert.NotEqual("0x0", await Pending());
            await Node.Call("anvil_dropAllTransactions", "[]");
            await Node.Mine();
            Assert.Equal(before, (await Node.Anchors(scene.Engine.Log.LogId)).Count); // the fault bit
            await scene.Engine.Tick();
        }

        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Blocks_VerySlow_WaitsWithoutReplacing() => EachSeed(async scene =>
    {
        await scene.Begin();
        var batch = await scene.Send();
        var (sent, looks) = (scene.Transactions.Count, scene.Random.Next(50, 150));
        var height = await Node.BlockNumber();
        await scene.Ticks(looks);
        Assert.Equal(height, await Node.BlockNumber()); // the fault bit: many looks, no block
        Assert.Equal(sent, scene.Transactions.Count);
        Assert.Equal(ReceiptStage.Verified, scene.Stage(batch));
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Blocks_VeryFast_SettlesEveryBatchOnce() => EachSeed(async scene =>
    {
        await scene.Begin();
        for (var i = 0; i < 5; i++)
        {
            await scene.Send();
            var height = await Node.BlockNumber();
            await Node.Mine(scene.Random.Next(20, 80));
            Assert.True(await Node.BlockNumber() >= height + 20); // the fault bit: many blocks between two looks
            await scene.Engine.Tick();
        }

        await scene.End(oneTransactionEach: true);
    });

    private async Task<string?> Pending() =>
        (await Node.Call("txpool_status", "[]")).Result.GetProperty("pending").GetString();
}
