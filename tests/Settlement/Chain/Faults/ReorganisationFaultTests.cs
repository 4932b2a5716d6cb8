using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>Chains that change their mind: anchors dropped, moved to other blocks, undone below finality.</summary>
public sealed class ReorganisationFaultTests : FaultTable
{
    private const int Deepest = 12;

    [AnvilFact]
    public Task Reorganisation_OfDepth1To12_DropsAnchors_SendsTheSameBytesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        for (var depth = 1; depth <= Deepest; depth++)
        {
            var before = scene.Transactions.Count;
            var last = await AnchorsWithin(scene, depth);
            var sent = scene.Transactions.Count;
            Assert.Equal(sent - before, await Dropped(scene, depth)); // the fault bit: each of them is gone
            await UntilNoticed(scene, last);
            await scene.Engine.RunUntilFinal(last);
            Assert.Equal(sent, scene.Transactions.Count);
        }

        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Reorganisation_OfDepth2To12_MovesAnchorsToOtherBlocks_FollowsThem() => EachSeed(async scene =>
    {
        await scene.Begin();
        for (var depth = 2; depth <= Deepest; depth++)
        {
            var batch = await scene.Anchor();
            var raw = scene.Transactions[^1];
            await Node.Mine(depth - 1);
            await scene.Engine.Tick();
            var was = scene.Engine.Service.Find(batch.StatementId)!.Inclusion!;
            var offset = scene.Random.Next(1, depth);
            await Node.Call("anvil_reorg", $"[{depth},[[\"{raw}\",{offset}]]]");
            var anchors = await Node.Anchors(scene.Engine.Log.LogId);
            Assert.NotEqual(was, anchors[^1].At); // the fault bit: the same transaction, another block
            Assert.Equal(was.Transaction, anchors[^1].At.Transaction);
            await scene.Ticks(3);
            Assert.Equal(anchors[^1].At, scene.Engine.Service.Find(batch.StatementId)!.Inclusion);
            await scene.Engine.RunUntilFinal(batch);
            Assert.Equal(anchors[^1].At, scene.Engine.Service.Find(batch.StatementId)!.Inclusion);
        }

        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Reorganisation_ToASnapshot_SettlesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        var snapshot = (await Node.Call("evm_snapshot", "[]")).Text;
        var before = (await Node.Anchors(scene.Engine.Log.LogId)).Count;
        var batch = await scene.Anchor();
        Assert.True((await Node.Anchors(scene.Engine.Log.LogId)).Count > before);
        await Node.Call("evm_revert", $"[\"{snapshot}\"]");
        Assert.Equal(before, (await Node.Anchors(scene.Engine.Log.LogId)).Count); // the fault bit
        await UntilNoticed(scene, batch);
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Reorganisation_BelowFinality_ReopensWithAnAlarmAndSettlesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        var floor = await Node.BlockNumber();
        var batches = new List<SealedBatch>();
        for (var i = scene.Random.Next(1, 4); i > 0; i--) batches.Add(await scene.Settle());
        var sent = scene.Transactions.Count;

        await Node.Call("anvil_rollback", $"[{await Node.BlockNumber() - floor}]");
        for (var i = 0; i < 20 && batches.Exists(batch => scene.Stage(batch) != ReceiptStage.Reopened); i++) await scene.Engine.Tick();
        Assert.All(batches, batch => Assert.Equal(ReceiptStage.Reopened, scene.Stage(batch))); // the fault bit
        Assert.True(scene.Has(ConditionKind.Reorganised));

        await scene.Engine.RunUntilFinal([.. batches]);
        Assert.Equal(sent, scene.Transactions.Count);
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Reorganisation_BelowTheRegistration_StartsOverWithTheSameBytes() => EachSeed(async scene =>
    {
        var floor = await Node.BlockNumber();
        await scene.Begin();
        var batch = await scene.Settle();
        var sent = scene.Transactions.Count;
        await Node.Call("anvil_rollback", $"[{await Node.BlockNumber() - floor}]");
        Assert.Empty(await Node.Anchors(scene.Engine.Log.LogId)); // the fault bit
        for (var i = 0; i < 20 && scene.Stage(batch) != ReceiptStage.Reopened; i++) await scene.Engine.Tick();
        await scene.Engine.RunUntilFinal(batch);
        Assert.Equal(sent, scene.Transactions.Count);
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Reorganisation_AgainAndAgain_EndsWithEverythingFinalOnce() => EachSeed(async scene =>
    {
        await scene.Begin();
        var floor = await Node.BlockNumber();
        var removed = 0;
        for (var round = 0; round < 12 || (removed == 0 && round < 100); round++) // until it bit
        {
            if (scene.Random.Next(2) == 0) await scene.Accept();
            await scene.Ticks(scene.Random.Next(1, 3));
            await Node.Mine(scene.Random.Next(1, 4));
            await scene.Ticks(scene.Random.Next(0, 2));
            var depth = (ulong)scene.Random.Next(1, Deepest + 1);
            if (await Node.BlockNumber() < floor + depth) continue;
            removed += await Dropped(scene, (int)depth);
        }

        Assert.True(removed > 0, "no reorganisation removed an anchor");
        await scene.End();
    });

    /// <summary>Anchors in the newest blocks, the last of them at the tip or below it, none deeper than this.</summary>
    private async Task<SealedBatch> AnchorsWithin(Scene scene, int depth)
    {
        // Of a deep one a few of its blocks hold anchors: one is on its way at a time, in one block each.
        var from = await Node.BlockNumber();
        var last = await scene.Anchor();
        while (await Node.BlockNumber() - from < (ulong)depth && scene.Random.Next(2) == 0)
        {
            if (await Node.BlockNumber() - from >= (ulong)depth - 1) break;
            last = await scene.Anchor();
        }

        var left = depth - (int)(await Node.BlockNumber() - from);
        if (left > 0) await Node.Mine(left);
        await scene.Engine.Tick();
        return last;
    }

    /// <summary>Rolls back this many blocks; how many of the log's anchors went with them.</summary>
    private async Task<int> Dropped(Scene scene, int depth)
    {
        var before = (await Node.Anchors(scene.Engine.Log.LogId)).Count;
        await Node.Call("anvil_rollback", $"[{depth}]");
        return before - (await Node.Anchors(scene.Engine.Log.LogId)).Count;
    }

    private static async Task UntilNoticed(Scene scene, SealedBatch batch)
    {
        for (var i = 0; i < 20 && scene.Stage(batch) is ReceiptStage.Anchored or ReceiptStage.Final; i++) await scene.Engine.Tick();
        Assert.True(scene.Stage(batch) is ReceiptStage.Verified or ReceiptStage.Reopened, $"the reorganisation went unnoticed: {scene.Stage(batch)}");
    }
}
