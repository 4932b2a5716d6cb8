using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>What an auditor finds in settlement, what it leaves there, and what stops a key.</summary>
public sealed class AuditTests(Anvil anvil) : IClassFixture<Anvil>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [AnvilFact]
    public async Task Audits_FinalAnchors_AreOfferedOnceWithABeaconOfTheirChain()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Audits_FinalAnchors_AreOfferedOnceWithABeaconOfTheirChain), new LinuxDisk(), folder.Path).Start();
        var before = await engine.Accept(2);
        await engine.RunUntilFinal(before);
        Assert.Empty(engine.Service.Audits.Undrawn(10)); // auditing has not begun

        await engine.Service.Audits.BeginAsync(None);
        var (first, second) = (await engine.Accept(3), await engine.Accept(1));
        await engine.RunUntilFinal(first, second);
        var anchor = Assert.Single(engine.Service.Audits.Undrawn(10));
        Assert.Equal((1ul, 3ul), (anchor.FirstLeaf, anchor.Size));
        var claim = engine.Service.GetProof(first.StatementId)!;
        Assert.Equal((claim.Checkpoint!.Root, claim.Anchor!.BlockNumber), (anchor.Root, anchor.Block));
        Assert.Equal([(1ul, first.StatementId, 3u), (2ul, second.StatementId, 1u)], engine.Service.Audits.StatementsOf(anchor, 0, 10).Select(statement => (statement.Leaf, statement.Id, statement.Receipts)));

        // Final by depth 3 was the anchor; its beacon comes four blocks later and must be as deep.
        Assert.Null(await engine.Service.Audits.BeaconOfAsync(anchor, None));
        await anvil.Mine(3);
        Assert.Null(await engine.Service.Audits.BeaconOfAsync(anchor, None));
        while (await anvil.BlockNumber() < anchor.Block + AuditDraw.BeaconDistance + 2) await anvil.Mine();
        var beacon = (await engine.Service.Audits.BeaconOfAsync(anchor, None))!;
        Assert.Equal(anchor.Block + AuditDraw.BeaconDistance, beacon.BlockNumber);
        var block = await anvil.Call("eth_getBlockByNumber", $"[\"0x{beacon.BlockNumber:x}\",false]");
        Assert.Equal($"0x{beacon.BlockHash}", block.Result.GetProperty("hash").GetString());

        await engine.Service.Audits.RecordDrawAsync(anchor, beacon, 7, [], None);
        Assert.Empty(engine.Service.Audits.Undrawn(10));
        var draw = Assert.Single(engine.Service.Audits.RecentDraws);
        Assert.Equal((anchor, beacon, 7u, 0), (draw.Anchor, draw.Beacon, draw.OneIn, draw.Rows));
    }

    [AnvilFact]
    public async Task Audits_DrawAndOutcomes_SurviveARestart()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Audits_DrawAndOutcomes_SurviveARestart), new LinuxDisk(), folder.Path).Start();
        await engine.Service.Audits.BeginAsync(None);
        var batch = await engine.Accept(4);
        await engine.RunUntilFinal(batch);
        engine.Stop();
        engine.Start();

        // Between anchor and draw.
        var anchor = Assert.Single(engine.Service.Audits.Undrawn(10));
        var statement = Assert.Single(engine.Service.Audits.StatementsOf(anchor, 0, 10));
        var beacon = new AuditBeacon(anchor.Block + AuditDraw.BeaconDistance, Hash256.Sha256("beacon"u8));
        await engine.Service.Audits.RecordDrawAsync(anchor, beacon, 2, [(statement, 0), (statement, 1), (statement, 3)], None);
        Assert.Equal(AuditOutcome.Sampled, engine.Service.Find(batch.ReceiptId(3))!.Audit!.Outcome);
        Assert.Null(engine.Service.Find(batch.ReceiptId(2))!.Audit);
        engine.Stop();
        engine.Start();

        // Between draw and execution.
        var due = engine.Service.Audits.Due(10);
        Assert.Equal([0u, 1u, 3u], due.Select(row => row.Row));
        Assert.All(due, row => Assert.Equal((statement.Leaf, beacon, 2u), (row.Leaf, row.Beacon, row.OneIn)));
        await engine.Service.Audits.ConcludeAsync([due[0] with { Outcome = AuditOutcome.Reproduced }, due[1] with { Outcome = AuditOutcome.NotReproducible, Reason = AuditReason.NotRetained }], None);
        await engine.Service.Audits.ConcludeAsync([due[2] with { Outcome = AuditOutcome.Disputed, Detail = "element 3" }], None);
        engine.Stop();
        engine.Start();

        Assert.Empty(engine.Service.Audits.Due(10));
        Assert.Empty(engine.Service.Audits.Undrawn(10));
        Assert.Equal(
            [AuditOutcome.Reproduced, AuditOutcome.NotReproducible, AuditOutcome.Disputed],
            engine.Service.Find(batch.StatementId)!.Audits.Select(row => row.Outcome));
        var disputed = engine.Service.Find(batch.ReceiptId(3))!.Audit!;
        Assert.Equal((AuditOutcome.Disputed, "element 3", beacon.BlockNumber), (disputed.Outcome, disputed.Detail, disputed.Beacon.BlockNumber));
        Assert.True(disputed.At > 0);
        Assert.Equal(disputed, Assert.Single(engine.Service.Audits.Disputes));
        var totals = engine.Service.Audits.Totals;
        Assert.Equal((0L, 1L, 1L, 1L), (totals.Rows[AuditOutcome.Sampled], totals.Rows[AuditOutcome.Reproduced], totals.Rows[AuditOutcome.NotReproducible], totals.Rows[AuditOutcome.Disputed]));
        Assert.Equal(1, totals.Reasons[AuditReason.NotRetained]);
        Assert.Equal(ReceiptStage.Final, engine.Service.Find(batch.ReceiptId(3))!.Statement.Stage); // an annotation, no stage
    }

    [AnvilFact]
    public async Task Audits_DrawMadeTwice_PicksNothingTwice()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Audits_DrawMadeTwice_PicksNothingTwice), new LinuxDisk(), folder.Path).Start();
        await engine.Service.Audits.BeginAsync(None);
        var batch = await engine.Accept(1000); // two records' worth of rows
        await engine.RunUntilFinal(batch);
        var anchor = Assert.Single(engine.Service.Audits.Undrawn(10));
        var statement = Assert.Single(engine.Service.Audits.StatementsOf(anchor, 0, 10));
        var rows = Enumerable.Range(0, 1000).Select(row => (statement, (uint)row)).ToArray();
        var beacon = new AuditBeacon(5, Hash256.Sha256("beacon"u8));
        await engine.Service.Audits.RecordDrawAsync(anchor, beacon, 1, rows, None);
        await engine.Service.Audits.RecordDrawAsync(anchor, beacon, 1, rows, None);
        Assert.Equal(1000, engine.Service.Audits.Totals.Rows[AuditOutcome.Sampled]);
        Assert.Equal(1, engine.Service.Audits.Totals.Draws);
        Assert.Equal(1000, engine.Service.Audits.Due(2000).DistinctBy(row => row.Row).Count());
    }

    [AnvilFact]
    public async Task Audits_ReorganisationBelowTheDraw_MakesAnother()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Audits_ReorganisationBelowTheDraw_MakesAnother), new LinuxDisk(), folder.Path).Start();
        await engine.Service.Audits.BeginAsync(None);
        var batch = await engine.Accept(2);
        await engine.RunUntilFinal(batch);
        var anchor = Assert.Single(engine.Service.Audits.Undrawn(10));
        await engine.Service.Audits.RecordDrawAsync(anchor, new AuditBeacon(anchor.Block + 4, default), 5, [], None);
        Assert.Empty(engine.Service.Audits.Undrawn(10));

        // Deeper than the finality rule: the anchor's block is no more.
        var depth = await anvil.BlockNumber() - anchor.Block + 1;
        await anvil.Call("anvil_reorg", $"[{depth},[]]");
        for (var look = 0; look < 10 && engine.Service.Find(batch.StatementId)!.Stage == ReceiptStage.Final; look++) await engine.Tick();
        Assert.NotEqual(ReceiptStage.Final, engine.Service.Find(batch.StatementId)!.Stage);
        await engine.RunUntilFinal(batch);
        var again = Assert.Single(engine.Service.Audits.Undrawn(10));
        Assert.Equal(anchor.Operation, again.Operation);
    }

    [AnvilFact]
    public async Task Settler_BadStatement_StopsTheEpochAndTheSuccessorSettlesWhatWasVerified()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_BadStatement_StopsTheEpochAndTheSuccessorSettlesWhatWasVerified), new LinuxDisk(), folder.Path).Start();
        var first = await engine.AcceptUntilFinal();
        var signed = engine.Epoch.CheckpointsSigned;
        var good = await engine.Accept();
        var bad = engine.NewBatch();
        engine.Verifier.Bad.Add(bad.StatementId);
        Assert.True(engine.Service.TryAccept(bad));
        Assert.Equal(WaitStatus.Reached, (await engine.Service.WaitAsync(bad.StatementId, ReceiptStage.Durable, None)).Status);
        for (var i = 0; i < 5; i++)
        {
            await engine.Tick();
            await anvil.Mine();
        }

        Assert.Equal(signed, engine.Epoch.CheckpointsSigned); // this key signs nothing more
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(good.StatementId)!.Stage);
        Assert.Equal(ReceiptStage.Quarantined, engine.Service.Find(bad.StatementId)!.Stage);
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.EpochHalted);
        var halt = engine.Service.Audits.HaltOf(engine.Epoch.Epoch.Id)!;
        Assert.Equal(bad.StatementId, halt.Statement);
        Assert.Contains("statement-signature-invalid", halt.Reason);
        Assert.Equal(bad.StatementId, Assert.Single(engine.Service.Audits.Quarantined(10)).StatementId);
        engine.Stop();

        // The same key again, which no engine does: the journal still stops it.
        engine.Start();
        await engine.Tick();
        Assert.Equal(signed, engine.Epoch.CheckpointsSigned);
        engine.Stop();

        engine.Start(newEpoch: true);
        Assert.Null(engine.Service.Audits.HaltOf(engine.Epoch.Epoch.Id));
        var third = await engine.Accept();
        await engine.RunUntilFinal(good, third);
        await engine.Audit(first, good, third);
        Assert.Equal(halt, Assert.Single(engine.Service.Audits.Halts));
        Assert.Null(engine.Service.Find(bad.StatementId)!.Leaf);
    }

    [AnvilFact]
    public async Task Settler_BadStatementOfAnEarlierEpoch_StopsNobody()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_BadStatementOfAnEarlierEpoch_StopsNobody), new LinuxDisk(), folder.Path).Start();
        var bad = await engine.Accept();
        engine.Stop();
        engine.Verifier.Bad.Add(bad.StatementId);
        engine.Start(newEpoch: true);
        var good = await engine.AcceptUntilFinal();
        Assert.Equal(ReceiptStage.Quarantined, engine.Service.Find(bad.StatementId)!.Stage);
        Assert.Empty(engine.Service.Audits.Halts);
    }

    [AnvilFact]
    public async Task Settler_RowsThatAreNotTheStatements_AreQuarantined()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_RowsThatAreNotTheStatements_AreQuarantined), new LinuxDisk(), folder.Path).Start();
        var (one, other) = (engine.NewBatch(4), engine.NewBatch(4));
        var preimages = Enumerable.Range(0, 4).SelectMany(row => other.LeafPreimage(row).ToArray()).ToArray();
        var mixed = new SealedBatch(one.Statement.ToArray(), preimages, TreeOf(other));
        Assert.True(engine.Service.TryAccept(mixed));
        await engine.Service.WaitAsync(mixed.StatementId, ReceiptStage.Durable, None);
        await engine.Tick();
        Assert.Equal([VerificationReason.RowNotInBatch], engine.Service.Find(mixed.StatementId)!.Reasons);
    }

    [AnvilFact]
    public async Task Settler_FewerRowsThanTheStatementSays_AreQuarantined()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_FewerRowsThanTheStatementSays_AreQuarantined), new LinuxDisk(), folder.Path).Start();
        var (one, two) = (engine.NewBatch(1), engine.NewBatch(2));
        var mixed = new SealedBatch(two.Statement.ToArray(), one.LeafPreimage(0).ToArray(), TreeOf(one));
        Assert.True(engine.Service.TryAccept(mixed));
        await engine.Service.WaitAsync(mixed.StatementId, ReceiptStage.Durable, None);
        await engine.Tick();
        Assert.Equal([VerificationReason.RowNotInBatch], engine.Service.Find(mixed.StatementId)!.Reasons);
    }

    private static byte[] TreeOf(SealedBatch batch)
    {
        var tree = new List<byte>();
        var level = batch.LeafHashes.ToArray();
        while (true)
        {
            foreach (var hash in level) tree.AddRange(hash.Bytes);
            if (level.Length == 1) return [.. tree];
            var above = new Hash256[(level.Length + 1) / 2];
            for (var i = 0; i < above.Length; i++) above[i] = (2 * i) + 1 < level.Length ? MerkleTree.NodeHash(level[2 * i], level[(2 * i) + 1]) : level[2 * i];
            level = above;
        }
    }
}
