using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

public sealed class SettlerTests(Anvil anvil) : IClassFixture<Anvil>
{
    [AnvilFact]
    public async Task Settler_TwoBatches_BecomeFinalWithAProofThatHolds()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_TwoBatches_BecomeFinalWithAProofThatHolds), new LinuxDisk(), folder.Path).Start();
        using var changes = engine.Service.Subscribe(100)!;
        var first = await engine.Accept(5);
        await engine.RunUntilFinal(first);
        var second = await engine.Accept(1);
        await engine.RunUntilFinal(second);

        Assert.Equal(2, (await engine.Audit(first, second)).Count);
        var status = engine.Service.Find(first.ReceiptId(4))!;
        Assert.Equal(4u, status.Row);
        Assert.Equal(first.LeafHash(4), status.Leaf);
        Assert.Equal(CloseReason.Age, status.Statement.ClosedBecause);
        Assert.True(status.Statement.ExecutedAt <= status.Statement.DurableAt && status.Statement.DurableAt <= status.Statement.VerifiedAt);
        Assert.True(status.Statement.VerifiedAt <= status.Statement.AnchoredAt && status.Statement.AnchoredAt <= status.Statement.FinalAt);

        var bundle = engine.Service.GetProof(first.ReceiptId(4))!.BundleOf(first.Receipt(4));
        Assert.Equal(bundle.Encode(), ReceiptBundle.Decode(bundle.Encode()).Encode());
        Assert.NotNull(SignedNote.SignatureOf(bundle.Checkpoint!.Note.Span, engine.Log.PublicKey, bundle.Checkpoint.Size, bundle.Checkpoint.Root));
        Assert.Equal(engine.Epoch.Epoch.Id, bundle.Checkpoint.Epoch);

        var stages = new List<ReceiptStage>();
        while (changes.Reader.TryRead(out var change))
            if (change.StatementId == first.StatementId) stages.Add(change.Stage);
        Assert.Equal([ReceiptStage.Durable, ReceiptStage.Verified, ReceiptStage.Anchored, ReceiptStage.Final], stages);

        var gap = engine.Service.Snapshot();
        Assert.Equal((0, 6, 6), (gap.Open, gap.Final, gap.ToFinal.Receipts));
        Assert.True(gap.ToFinal.P50 > TimeSpan.Zero && gap.ToFinal.P99 <= gap.ToFinal.Max);
        Assert.Empty(engine.Service.Conditions);
    }

    [AnvilFact]
    public async Task Settler_RestartWithANewEpoch_RegistersTheSuccessorAndGoesOn()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_RestartWithANewEpoch_RegistersTheSuccessorAndGoesOn), new LinuxDisk(), folder.Path).Start();
        var first = await engine.AcceptUntilFinal();
        var waiting = await engine.Accept(); // durable, and its key is gone before it is anchored
        engine.Stop();

        engine.Start(newEpoch: true);
        var third = await engine.Accept();
        await engine.RunUntilFinal(waiting, third);

        await engine.Audit(first, waiting, third);
        var proof = engine.Service.GetProof(waiting.StatementId)!;
        Assert.NotNull(proof.CheckpointEvidence);
        Assert.NotEqual(proof.Evidence!.Encode(), proof.CheckpointEvidence.Encode());
    }

    [AnvilFact]
    public async Task Settler_BadStatement_IsQuarantinedWithReasonsAndNeverLogged()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_BadStatement_IsQuarantinedWithReasonsAndNeverLogged), new LinuxDisk(), folder.Path);
        engine.Options = engine.Options with { HaltOnBadStatement = false };
        engine.Start();
        var bad = engine.NewBatch();
        engine.Verifier.Bad.Add(bad.StatementId);
        Assert.True(engine.Service.TryAccept(bad));
        var waiter = engine.Service.WaitAsync(bad.ReceiptId(0), ReceiptStage.Final, CancellationToken.None);
        var good = await engine.AcceptUntilFinal();

        Assert.Equal(WaitStatus.Quarantined, (await waiter).Status);
        var status = engine.Service.Find(bad.StatementId)!;
        Assert.Equal([VerificationReason.StatementSignatureInvalid, VerificationReason.EpochUnknown], status.Reasons);
        Assert.Null(status.Leaf);
        await engine.Audit(good);
        engine.Stop();
        engine.Start();
        Assert.Equal(ReceiptStage.Quarantined, engine.Service.Find(bad.StatementId)!.Stage);
    }

    [AnvilFact]
    public async Task Settler_ReceiptOfALostBatch_CanBeResubmittedAndBecomesFinal()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_ReceiptOfALostBatch_CanBeResubmittedAndBecomesFinal), new LinuxDisk(), folder.Path).Start();
        var lost = engine.NewBatch(4); // answered, but the process died before it was durable

        var tampered = lost.Receipt(1) with { Row = 2 };
        Assert.Equal([VerificationReason.RowNotInBatch], (await engine.Service.SubmitAsync(tampered)).Reasons);
        Assert.Equal(SubmitStatus.Accepted, (await engine.Service.SubmitAsync(lost.Receipt(1))).Status);
        Assert.Equal(SubmitStatus.AlreadyKnown, (await engine.Service.SubmitAsync(lost.Receipt(1))).Status);
        await engine.RunUntilFinal(lost);
        Assert.Equal(SubmitStatus.Accepted, (await engine.Service.SubmitAsync(lost.Receipt(3))).Status);

        Assert.Equal(ReceiptStage.Final, engine.Service.Find(lost.ReceiptId(3))!.Statement.Stage);
        Assert.Null(engine.Service.Find(lost.ReceiptId(0)));
        Assert.Single(await engine.Audit(lost));
        engine.Stop();
        engine.Start();
        Assert.Equal(1u, engine.Service.Find(lost.ReceiptId(1))!.Row);
        Assert.Equal(3u, engine.Service.Find(lost.ReceiptId(3))!.Row);
    }

    [AnvilFact]
    public async Task Settler_RunByItself_SettlesManyBatches()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_RunByItself_SettlesManyBatches), new LinuxDisk(), folder.Path).Start();
        using var stop = new CancellationTokenSource();
        var run = engine.Service.RunAsync(stop.Token);
        var batches = Enumerable.Range(0, 300).Select(_ => engine.NewBatch(2)).ToArray();
        foreach (var batch in batches) Assert.True(engine.Service.TryAccept(batch));
        var final = Task.WhenAll(batches.Select(batch => engine.Service.WaitAsync(batch.ReceiptId(0), ReceiptStage.Final, CancellationToken.None)));
        while (!final.IsCompleted)
        {
            await anvil.Mine();
            await Task.Delay(20);
        }

        Assert.All(await final, outcome => Assert.Equal(WaitStatus.Reached, outcome.Status));
        await stop.CancelAsync();
        await run;
        await engine.Audit(batches);
        Assert.True(File.Exists(Path.Combine(engine.Service.LogFolder, "checkpoint")));
        Assert.True(File.Exists(Path.Combine(engine.Service.LogFolder, "tile/0/000")));
        Assert.True(File.Exists(Path.Combine(engine.Service.LogFolder, "tile/entries/000")));
    }

    [AnvilFact]
    public async Task Settler_MoreFinalReceiptsThanMemoryKeeps_FindsEachOfThemWithItsProof()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Settler_MoreFinalReceiptsThanMemoryKeeps_FindsEachOfThemWithItsProof), new LinuxDisk(), folder.Path).Start();
        var batches = new List<SealedBatch>();
        for (var i = 0; i < 6; i++)
        {
            batches.Add(await engine.Accept(30));
            await engine.RunUntilFinal(batches[^1]);
        }

        var before = batches.Select(batch => Keeping.FixtureWriter.Line(engine.Service, batch.ReceiptId(29))).ToArray();
        foreach (var moment in new[] { "running", "restarted", "a pass later" })
        {
            if (moment == "restarted")
            {
                engine.Stop();
                engine.Start();
            }
            else
            {
                // Behind its snapshot a restart has in memory what it reads back: how much depends on where the snapshot fell.
                await engine.Tick();
                Assert.True(engine.Service.Storage.ArchivedStatements >= 4, $"{moment}: only {engine.Service.Storage.ArchivedStatements} statements left memory; {string.Join("; ", engine.Service.Conditions)}");
            }

            Assert.Equal(before, batches.Select(batch => Keeping.FixtureWriter.Line(engine.Service, batch.ReceiptId(29))));
            Assert.All(batches, batch => Assert.Equal(batch.Statement.ToArray(), engine.Service.ReadStatement(batch.StatementId)));
            Assert.All(batches, batch => Assert.Equal(30, engine.Service.LeavesOf(batch.StatementId).Count));
            Assert.Equal(SubmitStatus.AlreadyKnown, (await engine.Service.SubmitAsync(batches[0].Receipt(17))).Status);
            Assert.Equal(WaitStatus.Reached, (await engine.Service.WaitAsync(batches[0].ReceiptId(17), ReceiptStage.Final, CancellationToken.None)).Status);
            Assert.Equal(180, engine.Service.Snapshot().Final);
        }

        await engine.Audit([.. batches]);
    }
}
