using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>What nodes and networks do. Every test asserts that its fault bit, and ends with the audit of the chain's events.</summary>
public sealed class FaultTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [AnvilFact]
    public async Task Settler_AnswerLostAfterTheNodeAccepted_SendsNoSecondTransaction()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        engine.Faults.Sent.Clear();
        engine.Faults.LoseAnswer = text => text.Contains("eth_sendRawTransaction", StringComparison.Ordinal) && engine.Faults.Bites == 0;

        var second = await engine.AcceptUntilFinal();

        Assert.Equal(1, engine.Faults.Bites);
        Assert.Single(Raw(engine));
        Assert.Equal(2, (await engine.Audit(first, second)).Count);
    }

    [AnvilFact]
    public async Task Settler_AnswerLostBeforeTheNodeAccepted_SendsTheSameBytesAgain()
    {
        using var engine = Start();
        engine.Faults.Refuse = text => text.Contains("eth_sendRawTransaction", StringComparison.Ordinal) && engine.Faults.Bites < 2;
        var batch = await engine.AcceptUntilFinal();

        Assert.Equal(2, engine.Faults.Bites);
        Assert.Equal(4, engine.Faults.Sent.Count);
        Assert.Equal(2, Raw(engine).Count()); // one registration, one anchor
        await engine.Audit(batch);
    }

    [AnvilFact]
    public async Task Settler_NodeDoesNotSayWhatIsFinalized_CallsNothingFinal()
    {
        using var engine = Start(options => options with { UseFinalizedTag = true, FinalityDepth = 1 });
        engine.Faults.Rewrite = WithoutFinalizedBlock;
        var batch = await engine.Accept();
        for (var round = 0; round < 12; round++)
        {
            await engine.Tick();
            await anvil.Mine();
        }

        Assert.True(engine.Faults.Bites > 0);
        Assert.Equal(ReceiptStage.Anchored, engine.Service.Find(batch.StatementId)!.Stage);
    }

    [AnvilFact]
    public async Task Settler_WrongChain_SignsNothingAndResumes()
    {
        using var engine = Start();
        engine.Faults.Rewrite = (_, body) => body.Replace("\"0x7a69\"", "\"0x1\"", StringComparison.Ordinal);
        var batch = await engine.Accept();
        for (var i = 0; i < 3; i++) await engine.Tick();

        Assert.Equal(3, engine.Faults.Bites);
        var condition = Assert.Single(engine.Service.Conditions);
        Assert.Equal(ConditionKind.WrongChain, condition.Kind);
        Assert.Contains("chain 1, not chain 31337", condition.Text, StringComparison.Ordinal);
        Assert.Empty(engine.Faults.Sent);
        Assert.Equal(0, engine.Epoch.CheckpointsSigned);

        engine.Faults.Rewrite = null;
        await engine.RunUntilFinal(batch);
        Assert.Empty(engine.Service.Conditions);
        await engine.Audit(batch);
    }

    [AnvilFact]
    public async Task Settler_ChainUnreachable_VerifiesMeanwhileAndResumes()
    {
        using var engine = Start();
        engine.Faults.Refuse = _ => true;
        var batch = await engine.Accept();
        for (var i = 0; i < 3; i++) await engine.Tick();

        Assert.Equal(3, engine.Faults.Bites);
        Assert.Equal(ConditionKind.ChainUnreachable, Assert.Single(engine.Service.Conditions).Kind);
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(batch.StatementId)!.Stage);

        engine.Faults.Refuse = null;
        await engine.RunUntilFinal(batch);
        Assert.Empty(engine.Service.Conditions);
        Assert.Equal(1, engine.Service.ConditionsRaised[ConditionKind.ChainUnreachable]);
        await engine.Audit(batch);
    }

    [AnvilFact]
    public async Task Settler_NodeAnswersRubbish_TreatsItAsSilence()
    {
        using var engine = Start();
        var batch = await engine.AcceptUntilFinal();
        string[] rubbish = ["", "<html>", "{}", "[]", "[{\"id\":1}]", "null", "[1,2]", "[{\"jsonrpc\":\"2.0\",\"id\":", new string('[', 5000)];
        foreach (var text in rubbish)
        {
            engine.Faults.Rewrite = (_, _) => text;
            await engine.Tick();
            Assert.Equal(ConditionKind.ChainUnreachable, Assert.Single(engine.Service.Conditions).Kind);
        }

        // Each quantity, hash and null turned bad on its own must not move a stage.
        foreach (var (from, to) in new[] { ("\"result\":\"0x", "\"result\":\"0xzz"), ("\"blockHash\":\"0x", "\"blockHash\":\"0xqq"), ("\"result\":{", "\"result\":{\"status\":7,"), ("\"result\":", "\"nothing\":") })
        {
            engine.Faults.Rewrite = (_, body) => body.Replace(from, to, StringComparison.Ordinal);
            await engine.Tick();
            Assert.Equal(ReceiptStage.Final, engine.Service.Find(batch.StatementId)!.Stage);
        }

        Assert.True(engine.Faults.Bites > rubbish.Length);
        engine.Faults.Rewrite = null;
        var second = await engine.AcceptUntilFinal();
        await engine.Audit(batch, second);
    }

    [AnvilFact]
    public async Task Settler_AccountEmpty_HoldsAndResumes()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        await anvil.Call("anvil_setBalance", $"[\"{anvil.Account.Address}\",\"0x1\"]");
        var second = await engine.Accept();
        for (var i = 0; i < 4; i++) await engine.Tick();

        var condition = Assert.Single(engine.Service.Conditions);
        Assert.Equal(ConditionKind.AccountEmpty, condition.Kind);
        Assert.Contains(anvil.Account.Address.ToString(), condition.Advice, StringComparison.Ordinal);
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(second.StatementId)!.Stage);

        await anvil.Call("anvil_setBalance", $"[\"{anvil.Account.Address}\",\"0x56bc75e2d63100000\"]");
        await engine.RunUntilFinal(second);
        Assert.Empty(engine.Service.Conditions);
        await engine.Audit(first, second);
    }

    [AnvilFact]
    public async Task Settler_ReorganisationBeforeFinality_SendsTheSameBytesAgain()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        var second = await engine.Accept();
        await engine.Tick();
        await anvil.Mine();
        await engine.Tick();
        Assert.Equal(ReceiptStage.Anchored, engine.Service.Find(second.StatementId)!.Stage);
        engine.Faults.Sent.Clear();

        await anvil.Call("anvil_rollback", "[1]");
        for (var i = 0; i < 4; i++) await engine.Tick();
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(second.StatementId)!.Stage); // the fault bit
        await engine.RunUntilFinal(second);

        Assert.Single(Raw(engine));
        Assert.Null(engine.Service.Find(second.StatementId)!.ReopenedAt);
        Assert.Equal(2, (await engine.Audit(first, second)).Count);
    }

    [AnvilFact]
    public async Task Settler_ReorganisationBelowFinality_ReopensWithAnAlarmAndSettlesAgain()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        var before = await anvil.BlockNumber();
        var second = await engine.AcceptUntilFinal();
        var third = await engine.AcceptUntilFinal();

        await anvil.Call("anvil_rollback", $"[{await anvil.BlockNumber() - before}]");
        for (var i = 0; i < 5; i++) await engine.Tick();
        Assert.Equal(ReceiptStage.Reopened, engine.Service.Find(second.StatementId)!.Stage); // the fault bit
        Assert.Equal(ReceiptStage.Reopened, engine.Service.Find(third.StatementId)!.Stage);
        Assert.Equal(ReceiptStage.Final, engine.Service.Find(first.StatementId)!.Stage);
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.Reorganised);

        await engine.RunUntilFinal(second, third);
        Assert.Empty(engine.Service.Conditions);
        Assert.Equal(3, (await engine.Audit(first, second, third)).Count);
    }

    [AnvilFact]
    public async Task Settler_ReorganisationBelowTheRegistration_StartsOverWithTheSameBytes()
    {
        using var engine = Start();
        var before = await anvil.BlockNumber();
        var first = await engine.AcceptUntilFinal();
        var second = await engine.AcceptUntilFinal();
        var sent = Raw(engine).Count();

        await anvil.Call("anvil_rollback", $"[{await anvil.BlockNumber() - before}]");
        for (var i = 0; i < 5; i++) await engine.Tick();
        Assert.Equal(ReceiptStage.Reopened, engine.Service.Find(first.StatementId)!.Stage); // the fault bit
        await engine.RunUntilFinal(first, second);

        Assert.Equal(sent, Raw(engine).Count());
        Assert.Equal(2, (await engine.Audit(first, second)).Count);
    }

    [AnvilFact]
    public async Task Settler_NoContractThere_SaysSo()
    {
        using var engine = new Doubles.Engine(anvil, nameof(Settler_NoContractThere_SaysSo), new LinuxDisk(), _folder.Path);
        engine.Options = engine.Options with { Contract = EvmAddress.Parse("0x00000000000000000000000000000000000000aa") };
        engine.Start();
        await engine.Accept();
        await engine.Tick();
        var condition = Assert.Single(engine.Service.Conditions);
        Assert.Equal(ConditionKind.ContractMissing, condition.Kind);
        Assert.Contains("0x00000000000000000000000000000000000000aa", condition.Text, StringComparison.Ordinal);
        Assert.Empty(engine.Faults.Sent);
    }

    [AnvilFact]
    public async Task Settler_KeyRevoked_HoldsByNameAndASuccessorGoesOn()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        await Revoke(engine);
        var second = await engine.Accept();
        for (var i = 0; i < 6; i++) await engine.Tick();
        Assert.Equal(ConditionKind.KeyNotActive, Assert.Single(engine.Service.Conditions).Kind); // the fault bit

        engine.Stop();
        engine.Start(newEpoch: true);
        await engine.RunUntilFinal(second);
        Assert.Empty(engine.Service.Conditions);
        await engine.Audit(first, second);
    }

    private async Task Revoke(Doubles.Engine engine)
    {
        byte[] call = [.. Keccak256.Hash("revokeKey(bytes32,address,bytes32)"u8).Bytes[..4], .. engine.Log.LogId.Bytes, .. Settlement.Evm.LedgerAbi.Topic(engine.Epoch.Key.Address).Bytes, .. new byte[32]];
        await Send(new Settlement.Evm.Eip1559Transaction(Anvil.ChainId, await NextNonce(), 1_000_000_000, 50_000_000_000, 200_000, anvil.Contract, 0, call));
    }

    [AnvilFact]
    public async Task Settler_MempoolLost_BroadcastsTheSameBytesAgain()
    {
        using var engine = Start();
        var (first, second) = await OneFinalAndOneSent(engine);
        Assert.Single(engine.Faults.Sent);
        await anvil.Call("anvil_dropAllTransactions", "[]");
        await anvil.Mine();
        Assert.Single(await anvil.Anchors(engine.Log.LogId)); // the fault bit: the second is not in the block

        await engine.RunUntilFinal(second);
        Assert.Single(Raw(engine));
        await engine.Audit(first, second);
    }

    [AnvilFact]
    public async Task Settler_BaseFeeSpikes_ReplacesTheSameNonceByAtLeastAnEighth()
    {
        using var engine = Start();
        var (first, second) = await OneFinalAndOneSent(engine);
        await anvil.Call("anvil_setNextBlockBaseFeePerGas", "[\"0x2540be400\"]"); // 10 gwei: above the first offer
        await anvil.Mine();
        Assert.Single(await anvil.Anchors(engine.Log.LogId)); // the fault bit
        await engine.RunUntilFinal(second);

        Assert.True(Raw(engine).Count() > 1, "no replacement was sent");
        await engine.Audit(first, second);
    }

    [AnvilFact]
    public async Task Settler_FeeCapReached_HoldsByName()
    {
        using var engine = Start();
        var first = await engine.AcceptUntilFinal();
        engine.Stop();
        engine.Options = engine.Options with { MaxFeePerGas = 1_000_000_001, PriorityFee = 1 };
        engine.Start();
        await anvil.Call("anvil_setNextBlockBaseFeePerGas", "[\"0x2540be400\"]");
        await anvil.Mine();
        var second = await engine.Accept();
        for (var i = 0; i < 4; i++) await engine.Tick();
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind is ConditionKind.FeeCapReached);
        Assert.Equal(ReceiptStage.Verified, engine.Service.Find(second.StatementId)!.Stage);

        engine.Stop();
        engine.Options = engine.Options with { MaxFeePerGas = 100_000_000_000, PriorityFee = 1_000_000_000 };
        engine.Start();
        await engine.RunUntilFinal(second);
        await engine.Audit(first, second);
    }

    [AnvilFact]
    public async Task Settler_ForeignTransactionTakesTheNonce_UsesANewOne()
    {
        using var engine = Start();
        var (first, second) = await OneFinalAndOneSent(engine);
        Assert.Single(engine.Faults.Sent);
        await anvil.Call("anvil_dropAllTransactions", "[]");
        await Send(new Settlement.Evm.Eip1559Transaction(Anvil.ChainId, await NextNonce(), 2_000_000_000, 50_000_000_000, 21000, anvil.Account.Address, 0, default));
        Assert.Single(await anvil.Anchors(engine.Log.LogId)); // the fault bit

        await engine.RunUntilFinal(second);
        Assert.Equal(2, Raw(engine).Count());
        Assert.Equal(2, (await engine.Audit(first, second)).Count);
    }

    private Doubles.Engine Start(Func<SettlementOptions, SettlementOptions>? bend = null, [CallerMemberName] string name = "")
    {
        var engine = new Doubles.Engine(anvil, name, new LinuxDisk(), _folder.Path);
        if (bend is not null) engine.Options = bend(engine.Options);
        return engine.Start();
    }

    // The second's anchor is in the pool and in no block; nothing else is counted as sent.
    private static async Task<(SealedBatch First, SealedBatch Second)> OneFinalAndOneSent(Doubles.Engine engine)
    {
        var first = await engine.AcceptUntilFinal();
        engine.Faults.Sent.Clear();
        var second = await engine.Accept();
        await engine.Tick();
        return (first, second);
    }

    private async Task<ulong> NextNonce() => Convert.ToUInt64((await anvil.Call("eth_getTransactionCount", $"[\"{anvil.Account.Address}\",\"latest\"]")).Text, 16);

    // By the paying account, past the engine.
    private async Task Send(Settlement.Evm.Eip1559Transaction transaction)
    {
        await anvil.Call("eth_sendRawTransaction", $"[\"0x{Convert.ToHexStringLower(transaction.Encode(anvil.Account.SignDigest(transaction.SigningHash())))}\"]");
        await anvil.Mine();
    }

    // The one request of a batch that asks for the finalized block is refused, as by a node that limits rates.
    private static string WithoutFinalizedBlock(string text, string body)
    {
        if (JsonNode.Parse(text)!.AsArray().FirstOrDefault(request => request!["params"]!.ToJsonString().Contains("finalized", StringComparison.Ordinal)) is not { } asked) return body;
        var replies = JsonNode.Parse(body)!.AsArray();
        var reply = replies.Single(one => (long)one!["id"]! == (long)asked["id"]!)!.AsObject();
        reply.Remove("result");
        reply["error"] = new JsonObject { ["code"] = -32005, ["message"] = "limit exceeded" };
        return replies.ToJsonString();
    }

    // Distinct transactions among everything that was sent.
    private static IEnumerable<string> Raw(Doubles.Engine engine) =>
        engine.Faults.Sent.Select(text => text[text.IndexOf("params", StringComparison.Ordinal)..]).Distinct();
}
