using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>A successor takes over in the middle of everything: announced, registered, and only then signing checkpoints.</summary>
public sealed class RotationTests(Anvil anvil) : IClassFixture<Anvil>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [AnvilFact]
    public async Task Rotation_WithAnAnchorOnItsWay_SettlesItAndThenSignsWithTheSuccessor()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Rotation_WithAnAnchorOnItsWay_SettlesItAndThenSignsWithTheSuccessor), new LinuxDisk(), folder.Path).Start();
        var first = await engine.AcceptUntilFinal();
        var second = await engine.Accept();
        await engine.Tick();
        await engine.Tick();
        var sent = engine.Faults.Sent.Count; // the anchor is in the pool, and no block has it

        var old = await engine.Rotate();
        var signed = old.CheckpointsSigned;
        Assert.Equal(old.Epoch, engine.Service.SigningEpoch); // until the next look
        var (third, fourth) = (await engine.Accept(3, old), await engine.Accept());
        for (var look = 0; look < 4; look++)
        {
            await engine.Tick();
            Assert.Equal(engine.Epoch.Epoch, engine.Service.SigningEpoch);
            Assert.Equal(0, engine.Epoch.CheckpointsSigned); // not registered yet
        }

        Assert.Equal(sent, engine.Faults.Sent.Count);
        await engine.RunUntilFinal(second, third, fourth);
        await engine.Audit(first, second, third, fourth);
        Assert.Equal((signed, old.Epoch.Id), (old.CheckpointsSigned, engine.Service.GetProof(second.StatementId)!.Checkpoint!.Epoch));
        foreach (var batch in new[] { third, fourth }) Assert.Equal(engine.Epoch.Epoch.Id, engine.Service.GetProof(batch.StatementId)!.Checkpoint!.Epoch);
        Assert.Equal([default, old.Epoch.Address], await Predecessors(engine.Log.LogId));
        Assert.Equal([KeyStanding.Replaced, KeyStanding.Active], await Standings(old.Epoch, engine.Epoch.Epoch));
        Assert.Empty(engine.Service.Conditions);
    }

    [AnvilFact]
    public async Task Rotation_TwiceBeforeABlock_RegistersTheNewestAlone()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Rotation_TwiceBeforeABlock_RegistersTheNewestAlone), new LinuxDisk(), folder.Path).Start();
        var first = await engine.AcceptUntilFinal();
        var old = await engine.Rotate();
        var ofTheSecond = await engine.Accept();
        var second = await engine.Rotate();
        var ofTheThird = await engine.Accept();
        await engine.RunUntilFinal(ofTheSecond, ofTheThird);
        await engine.Audit(first, ofTheSecond, ofTheThird);
        Assert.Equal([KeyStanding.Replaced, KeyStanding.None, KeyStanding.Active], await Standings(old.Epoch, second.Epoch, engine.Epoch.Epoch));
        Assert.Equal(0, second.CheckpointsSigned);
        Assert.Equal([old.Epoch.Id, second.Epoch.Id, engine.Epoch.Epoch.Id], engine.Service.Epochs.Select(epoch => epoch.Id));
    }

    [AnvilFact]
    public async Task Rotation_RestartRightAfterIt_SettlesEverything()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Rotation_RestartRightAfterIt_SettlesEverything), new LinuxDisk(), folder.Path).Start();
        var first = await engine.AcceptUntilFinal();
        var old = await engine.Rotate();
        var (second, third) = (await engine.Accept(2, old), await engine.Accept(2));
        var rotated = engine.Epoch;
        engine.Stop();

        engine.Start(newEpoch: true);
        Assert.Equal([old.Epoch.Id, rotated.Epoch.Id, engine.Epoch.Epoch.Id], engine.Service.Epochs.Select(epoch => epoch.Id));
        var fourth = await engine.Accept();
        await engine.RunUntilFinal(second, third, fourth);
        await engine.Audit(first, second, third, fourth);
        Assert.Equal([default, old.Epoch.Address], await Predecessors(engine.Log.LogId));
    }

    [AnvilFact]
    public async Task Rotation_ReorganisationBelowTheRegistration_RegistersAgain()
    {
        // A node of its own: others' logs on it would be reorganised too.
        var own = new Anvil();
        await own.InitializeAsync();
        try
        {
            using var folder = new TemporaryFolder();
            using var engine = new Doubles.Engine(own, nameof(Rotation_ReorganisationBelowTheRegistration_RegistersAgain), new LinuxDisk(), folder.Path).Start();
            var first = await engine.AcceptUntilFinal();
            var before = await own.BlockNumber();
            await engine.Rotate();
            var second = await engine.AcceptUntilFinal();
            await own.Call("anvil_rollback", $"[{await own.BlockNumber() - before}]");
            await own.Call("anvil_dropAllTransactions", "[]");
            for (var look = 0; look < 20 && engine.Service.Find(second.StatementId)!.Stage == ReceiptStage.Final; look++) await engine.Tick();
            Assert.NotEqual(ReceiptStage.Final, engine.Service.Find(second.StatementId)!.Stage);

            await engine.Rotate(); // while nothing of the last one is on the chain
            var third = await engine.Accept();
            await engine.RunUntilFinal(second, third);
            await engine.Audit(first, second, third);
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [AnvilFact]
    public async Task Rotation_StatementOfTheKeyBeforeIsBad_StopsTheSuccessorToo()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Rotation_StatementOfTheKeyBeforeIsBad_StopsTheSuccessorToo), new LinuxDisk(), folder.Path).Start();
        await engine.RunUntilFinal(await engine.Accept());
        var bad = await engine.Accept();
        engine.Verifier.Bad.Add(bad.StatementId);
        var old = await engine.Rotate();
        Assert.Null(engine.Service.Audits.Halted);
        var good = await engine.Accept();
        for (var round = 0; round < 6; round++)
        {
            await engine.Tick();
            await anvil.Mine();
        }

        Assert.Equal(old.Epoch.Id, engine.Service.Audits.Halted!.Epoch);
        Assert.Equal(0, engine.Epoch.CheckpointsSigned);
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.EpochHalted);
        engine.Stop();

        engine.Start(newEpoch: true);
        Assert.Null(engine.Service.Audits.Halted);
        await engine.RunUntilFinal(good);
    }

    [AnvilFact]
    public async Task Rotation_DiskFull_ChangesNothingUntilItIsRepeated()
    {
        var disk = new SimulatedDisk(5);
        using var engine = new Doubles.Engine(anvil, nameof(Rotation_DiskFull_ChangesNothingUntilItIsRepeated), disk, "/data").Start();
        var first = await engine.AcceptUntilFinal();
        var next = new TestEpoch("after a full disk");
        disk.FreeBytes = 0;
        var tries = 0;
        while (await Begins(engine, next)) next = new TestEpoch($"after a full disk {++tries}"); // until the segment's room is used up
        var epochs = engine.Service.Epochs.Count;
        disk.FreeBytes = long.MaxValue;
        await engine.Tick();
        Assert.NotEqual(next.Epoch.Id, engine.Service.SigningEpoch.Id);

        for (var i = 0; i < 2; i++) await engine.Service.BeginEpochAsync(next, None); // as after an answer that was lost
        Assert.Equal(epochs + 1, engine.Service.Epochs.Count);
        await engine.Tick();
        Assert.Equal(next.Epoch.Id, engine.Service.SigningEpoch.Id);
        var second = await engine.Accept(1, next);
        await engine.RunUntilFinal(second);
        await engine.Audit(first, second);
    }

    private static async Task<bool> Begins(Doubles.Engine engine, TestEpoch next)
    {
        try
        {
            await engine.Service.BeginEpochAsync(next, None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [AnvilFact]
    public async Task Rotation_PowerLostAtEveryDiskOperationFromItsBeginning_LosesNothing()
    {
        var crashes = 0;
        for (var after = 1; after < 60; after += after < 12 ? 1 : 4, crashes++)
            if (!await CrashAfter(after)) break;
        Assert.True(crashes >= 12, $"only {crashes} crash points were reached");
    }

    /// <summary>True when the power was lost before everything was over.</summary>
    private async Task<bool> CrashAfter(int operations)
    {
        var disk = new SimulatedDisk(operations);
        using var engine = new Doubles.Engine(anvil, $"rotation {operations}", disk, "/data").Start();
        var acknowledged = new List<SealedBatch> { await engine.Accept() };
        await engine.RunUntilFinal([.. acknowledged]);
        acknowledged.Add(await engine.Accept());
        await engine.Tick();
        disk.CrashAt = disk.Operations + operations;
        try
        {
            var old = await engine.Rotate();
            foreach (var epoch in new[] { old, engine.Epoch })
            {
                var batch = engine.NewBatch(2, epoch);
                if (!engine.Service.TryAccept(batch)) continue;
                var outcome = await engine.Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, None);
                if (outcome.Status == State.WaitStatus.Reached) acknowledged.Add(batch);
            }

            for (var round = 0; round < 6; round++)
            {
                await engine.Tick();
                await anvil.Mine();
            }
        }
        catch (Exception crash) when (crash is IOException or SettlementStoppedException)
        {
        }

        var crashed = disk.FaultBit;
        engine.Stop();
        disk.Reboot();
        engine.Start(newEpoch: true);
        acknowledged.Add(await engine.Accept());
        try
        {
            await engine.RunUntilFinal([.. acknowledged]);
            foreach (var batch in acknowledged) Assert.Contains(Statement.Decode(batch.Statement.Span).Epoch, engine.Service.Epochs.Select(epoch => epoch.Id));
        }
        catch (Xunit.Sdk.XunitException failure)
        {
            throw new InvalidOperationException($"crash point {operations}: {failure.Message}", failure);
        }

        return crashed;
    }

    private async Task<EvmAddress[]> Predecessors(Hash256 logId)
    {
        var events = await new EvmChain(anvil.Rpc, anvil.Contract).EventsAsync(LedgerAbi.KeyRegisteredTopic, logId, 0, None);
        return [.. events.Value.Select(item => new EvmAddress(item.Topics[3].Bytes[12..]))];
    }

    private async Task<KeyStanding[]> Standings(params Epoch[] epochs)
    {
        var keys = await new EvmChain(anvil.Rpc, anvil.Contract).KeysAsync([.. epochs.Select(epoch => epoch.Address)], None);
        return [.. keys.Value.Select(key => key.Standing)];
    }
}
