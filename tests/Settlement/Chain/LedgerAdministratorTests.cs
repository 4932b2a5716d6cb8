using System.Runtime.CompilerServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Custody;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>The contract administered by hand, and an engine that meets what was done.</summary>
public sealed class LedgerAdministratorTests : IAsyncLifetime
{
    private readonly Anvil _node = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Secp256k1 _other = Secp256k1.FromSeed("another administrator");

    public async Task InitializeAsync()
    {
        await _node.InitializeAsync();
        if (Anvil.Binary is null) return;
        await _node.Call("evm_setAutomine", "[true]");
        await _node.Call("anvil_setBalance", $"[\"{_other.Address}\",\"0x56bc75e2d63100000\"]");
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        _folder.Dispose();
    }

    [AnvilFact]
    public async Task ReadAsync_FreshContract_NamesRolesAndNoLogs()
    {
        var read = await Administrator.ReadAsync(0, default);
        Assert.Equal((_node.Account.Address, default, _node.Account.Address, false), (read.Owner, read.PendingOwner, read.Registrar, read.Paused));
        Assert.Empty(read.Logs);
        var nothing = new LedgerAdministrator(_node.Rpc, EvmAddress.Parse("0x00000000000000000000000000000000000000aa"), TimeProvider.System);
        Assert.Contains("no ledger contract", (await Assert.ThrowsAsync<InvalidOperationException>(() => nothing.ReadAsync(0, default))).Message, StringComparison.Ordinal);
    }

    [AnvilFact]
    public async Task SendAsync_Handover_TakesTwoStepsAndTheOldOwnerLosesItsRole()
    {
        await Send(_node.Account, AdministrationAbi.TransferOwnership(_other.Address));
        Assert.Equal((_node.Account.Address, _other.Address), await Owners());
        Assert.Contains("NotPendingOwner", (await Refused(_node.Account, AdministrationAbi.AcceptOwnership())).Message, StringComparison.Ordinal);
        await Send(_other, AdministrationAbi.AcceptOwnership());
        Assert.Equal((_other.Address, default), await Owners());
        Assert.Contains("NotOwner", (await Refused(_node.Account, AdministrationAbi.SetPaused(true))).Message, StringComparison.Ordinal);
        await Send(_other, AdministrationAbi.SetPaused(true));
        Assert.True((await Administrator.ReadAsync(0, default)).Paused);
    }

    [AnvilFact]
    public async Task SendAsync_WrongChain_SendsNothing()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Administrator.SendAsync(_node.Account, 1, AdministrationAbi.SetPaused(true), 50_000_000_000, default));
        Assert.Contains("not chain 1", refused.Message, StringComparison.Ordinal);
        Assert.False((await Administrator.ReadAsync(0, default)).Paused);
    }

    [AnvilFact]
    public async Task Settler_LogHalted_HoldsByNameAndGoesOnWhenItIsResumed()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        var logs = (await Administrator.ReadAsync(0, default)).Logs;
        Assert.Contains((engine.Log.LogId, false), logs);

        await Send(_node.Account, AdministrationAbi.SetHalted([.. logs.Select(log => log.LogId)], true));
        Assert.Contains((engine.Log.LogId, true), (await Administrator.ReadAsync(0, default)).Logs);
        var second = await engine.Accept();
        for (var i = 0; i < 6; i++) await engine.Tick();
        var condition = Assert.Single(engine.Service.Conditions);
        Assert.Equal(ConditionKind.LogHalted, condition.Kind); // the fault bit
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(second.StatementId)!.Stage);

        await Send(_node.Account, AdministrationAbi.SetHalted([engine.Log.LogId], false));
        await engine.RunUntilFinal(second);
        Assert.Empty(engine.Service.Conditions);
        await engine.Audit(first, second);
    }

    [AnvilFact]
    public async Task Settler_LogHaltedWhileAnAnchorWaits_SettlesItOnceAfterwards()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        await _node.Call("evm_setAutomine", "[false]");
        var second = await engine.Accept();
        await engine.Tick(); // its anchor is in the pool
        Assert.NotEmpty(engine.Faults.Sent);
        // The owner's transaction gets in first: the anchor reverts.
        await _node.Call("anvil_dropAllTransactions", "[]");
        await _node.Call("evm_setAutomine", "[true]");
        await Send(_node.Account, AdministrationAbi.SetHalted([engine.Log.LogId], true));
        for (var i = 0; i < 8; i++)
        {
            await engine.Tick();
            await _node.Mine();
        }

        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.LogHalted); // the fault bit
        await Send(_node.Account, AdministrationAbi.SetHalted([engine.Log.LogId], false));
        await engine.RunUntilFinal(second);
        await engine.Audit(first, second);
    }

    [AnvilFact]
    public async Task Settler_RegistrarReplaced_HoldsByTheContractsOwnWord()
    {
        await Send(_node.Account, AdministrationAbi.SetRegistrar(_other.Address));
        using var engine = Start();
        var batch = await engine.Accept();
        for (var i = 0; i < 4; i++) await engine.Tick();
        var condition = Assert.Single(engine.Service.Conditions);
        Assert.Equal(ConditionKind.CallWouldFail, condition.Kind);
        Assert.Contains("the contract refuses with NotRegistrar", condition.Text, StringComparison.Ordinal);

        await Send(_node.Account, AdministrationAbi.SetRegistrar(_node.Account.Address));
        await engine.RunUntilFinal(batch);
        Assert.Empty(engine.Service.Conditions);
    }

    [AnvilFact]
    public async Task Convict_TwoCheckpointsOfOneSize_MarksTheKeyAndTheEngineHoldsByName()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        SignedCheckpoint Claim(byte root)
        {
            var claim = new CheckpointClaim(engine.Log.LogId, 9, new Hash256(Enumerable.Repeat(root, 32).ToArray()), LogHead.Empty, Anvil.ChainId, _node.Contract);
            return new(claim.Size, claim.Root, claim.PreviousHead, claim.ChainId, claim.Contract, engine.Epoch.Epoch.Id, engine.Epoch.SignCheckpoint(claim), default, default);
        }

        ReceiptBundle Bundle(byte root) => new() { Receipt = engine.NewBatch().Receipt(0), Checkpoint = Claim(root) };
        Assert.Null(Equivocation.Between(Bundle(1), Bundle(1)));
        var found = Equivocation.Between(Bundle(1), Bundle(2))!;
        Assert.Contains("two checkpoints of size 9", found.Text, StringComparison.Ordinal);
        await Send(_other, found.Call.ToArray());
        Assert.Equal(KeyStanding.Faulty, await Standing(engine));
        await engine.Accept();
        for (var i = 0; i < 6; i++) await engine.Tick();
        Assert.Equal(ConditionKind.KeyNotActive, Assert.Single(engine.Service.Conditions).Kind);
    }

    [AnvilFact]
    public async Task Convict_TwoStatementsOfOneSequence_MarksTheKey()
    {
        using var engine = Start();
        await engine.RunUntilFinal(await engine.Accept());
        var statement = Statement.Decode(engine.NewBatch().Statement.Span);
        var twin = statement with { Receipts = statement.Receipts + 1, Signature = new byte[65] };
        twin = twin with { Signature = engine.Epoch.Key.SignDigest(twin.SignedDigest) };
        Assert.Contains("NotEquivocation", (await Refused(_other, AdjudicationAbi.ProveStatementEquivocation(statement.Encode(), statement.Encode()))).Message, StringComparison.Ordinal);
        ReceiptBundle Bundle(Statement of) => new() { Receipt = engine.NewBatch().Receipt(0) with { Statement = of.Encode() } };
        Assert.Null(Equivocation.Between(Bundle(statement), Bundle(statement)));
        Assert.Null(Equivocation.Between(Bundle(statement), Bundle(twin with { Sequence = twin.Sequence + 1 })));
        Assert.Null(Equivocation.Between(Bundle(statement), Bundle(twin with { LogId = default })));
        var found = Equivocation.Between(Bundle(statement), Bundle(twin))!;
        Assert.Contains($"two statements with sequence number {statement.Sequence}", found.Text, StringComparison.Ordinal);
        await Send(_other, found.Call.ToArray());
        Assert.Equal(KeyStanding.Faulty, await Standing(engine));
    }

    private LedgerAdministrator Administrator => new(_node.Rpc, _node.Contract, TimeProvider.System);

    private Doubles.Engine Start([CallerMemberName] string name = "") => new Doubles.Engine(_node, name, new LinuxDisk(), _folder.Path).Start();

    private Task<Hash256> Send(Secp256k1 from, byte[] call) => Administrator.SendAsync(from, Anvil.ChainId, call, 50_000_000_000, default);

    private Task<InvalidOperationException> Refused(Secp256k1 from, byte[] call) => Assert.ThrowsAsync<InvalidOperationException>(() => Send(from, call));

    private async Task<(EvmAddress, EvmAddress)> Owners()
    {
        var read = await Administrator.ReadAsync(0, default);
        return (read.Owner, read.PendingOwner);
    }

    private async Task<KeyStanding> Standing(Doubles.Engine engine) =>
        (await new EvmChain(_node.Rpc, _node.Contract).KeysAsync([engine.Epoch.Key.Address], default)).Value[0].Standing;
}
