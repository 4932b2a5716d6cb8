using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>What networks, proxies and nodes make of requests and answers. Driven by a TCP proxy before the node.</summary>
public sealed class RpcFaultTests : FaultTable
{
    private static readonly string[] Rubbish =
        ["", "<html>not found</html>", "{}", "[]", "[{\"id\":1}]", "null", "[1,2]", "[{\"jsonrpc\":\"2.0\",\"id\":", new('[', 5000), "\0\0\0\0", "[{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"status\":7}}]", "[{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"\\ud800\"}]"];

    [AnvilFact]
    public Task Rpc_AnswerLostAfterTheNodeAccepted_SendsNoSecondTransaction() => EachSeed(async scene =>
    {
        await scene.Begin();
        await Strike(scene, ProxyFault.ResetAfter, scene.Random.Next(1, 4));
        await scene.Settle();
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Rpc_NoAnswerUntilTheTimeOut_SendsNoSecondTransaction() => EachSeed(async scene =>
    {
        scene.Engine.RpcTimeout = TimeSpan.FromSeconds(5);
        await scene.Begin();
        await Strike(scene, ProxyFault.HangAfter, 1);
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Rpc_ConnectionResetBeforeTheNodeSawIt_SendsTheSameBytesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        var sent = scene.Engine.Faults.Sent.Count;
        await Strike(scene, ProxyFault.ResetBefore, scene.Random.Next(1, 3));
        await scene.Settle();
        Assert.True(scene.Engine.Faults.Sent.Count > sent + 1, "nothing was sent again");
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Rpc_AnyCallReset_IsAskedAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        scene.Proxy.Plan = _ => scene.Random.Next(3) switch { 0 => ProxyFault.ResetBefore, 1 => ProxyFault.ResetAfter, _ => ProxyFault.None };
        await SettleUntilBitten(scene);
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
    });

    [AnvilFact]
    public Task Rpc_ServerErrors_AreTakenForSilence() => EachSeed(async scene =>
    {
        await scene.Begin();
        string[] errors = ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"];
        scene.Proxy.Plan = _ =>
        {
            scene.Proxy.Status = errors[scene.Random.Next(errors.Length)];
            return scene.Random.Next(4) switch { 0 => ProxyFault.StatusBefore, 1 => ProxyFault.StatusAfter, _ => ProxyFault.None };
        };
        await SettleUntilBitten(scene);
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
    });

    [AnvilFact]
    public Task Rpc_TooManyRequests_SendsTheSameBytesAgain() => EachSeed(async scene =>
    {
        await scene.Begin();
        scene.Proxy.Status = "429 Too Many Requests\r\nRetry-After: 1";
        await Strike(scene, ProxyFault.StatusBefore, scene.Random.Next(1, 3));
        await scene.Settle();
        await scene.End(oneTransactionEach: true);
    });

    [AnvilFact]
    public Task Rpc_AnswersCutInHalf_AreTakenForSilence() => EachSeed(async scene =>
    {
        await scene.Begin();
        scene.Proxy.Plan = _ => scene.Random.Next(2) == 0 ? ProxyFault.Truncate : ProxyFault.None;
        await SettleUntilBitten(scene);
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
    });

    [AnvilFact]
    public Task Rpc_Rubbish_MovesNothingAndIsOvercome() => EachSeed(async scene =>
    {
        await scene.Begin();
        var batch = await scene.Accept();
        scene.Proxy.Plan = _ => ProxyFault.Rewrite;
        foreach (var text in Rubbish)
        {
            scene.Proxy.Rewrite = (_, _) => text;
            await scene.Engine.Tick();
            Assert.True(scene.Has(ConditionKind.ChainUnreachable), $"'{text}' was believed");
        }

        Assert.Equal(Rubbish.Length, scene.Proxy.Bites);
        Assert.Equal(ReceiptStage.Verified, scene.Stage(batch));
        // Then every answer has one character changed somewhere: what is still well-formed is a lie, and must be survived.
        scene.Proxy.Rewrite = (_, body) => Flip(body, scene.Random);
        await scene.Ticks(10);
        Assert.True(scene.Proxy.Bites > Rubbish.Length);
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
    });

    [AnvilFact]
    public Task Rpc_WrongChainId_SignsNothingAndResumes() => EachSeed(async scene =>
    {
        await scene.Begin();
        var (signed, sent) = (scene.Engine.Epoch.CheckpointsSigned, scene.Engine.Faults.Sent.Count);
        scene.Proxy.Rewrite = (_, body) => body.Replace("\"0x7a69\"", "\"0x1\"", StringComparison.Ordinal);
        scene.Proxy.Plan = _ => ProxyFault.Rewrite;
        await scene.Accept();
        await scene.Ticks(scene.Random.Next(2, 6));
        Assert.True(scene.Proxy.Bites >= 2);
        Assert.True(scene.Has(ConditionKind.WrongChain));
        Assert.Equal((signed, sent), (scene.Engine.Epoch.CheckpointsSigned, scene.Engine.Faults.Sent.Count));
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
    });

    [AnvilFact]
    public Task Rpc_Unreachable_VerifiesMeanwhileAndResumes() => EachSeed(async scene =>
    {
        await scene.Begin();
        scene.Proxy.Plan = _ => ProxyFault.ResetBefore;
        var batch = await scene.Accept();
        await scene.Ticks(3);
        Assert.Equal(3, scene.Proxy.Bites);
        Assert.True(scene.Has(ConditionKind.ChainUnreachable));
        Assert.Equal(ReceiptStage.Verified, scene.Stage(batch));
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
    });

    /// <summary>Plans this fault for the next calls that send.</summary>
    private static Task Strike(Scene scene, ProxyFault fault, int times)
    {
        var struck = 0;
        scene.Proxy.Plan = text => text.Contains("eth_sendRawTransaction", StringComparison.Ordinal) && struck++ < times ? fault : ProxyFault.None;
        return AfterStrikes(scene, times, () => struck);
    }

    // The fault must bite before the run is over: a batch is handed over and driven until it did.
    private static async Task AfterStrikes(Scene scene, int times, Func<int> struck)
    {
        await scene.Accept();
        for (var round = 0; struck() < 1; round++)
        {
            Assert.True(round < 20, "the fault did not bite");
            await scene.Engine.Tick();
        }

        Assert.InRange(scene.Proxy.Bites, 1, times);
    }

    // A short run may be lucky: batches are settled until the fault has struck three times.
    private static async Task SettleUntilBitten(Scene scene)
    {
        for (var batch = 0; scene.Proxy.Bites < 3; batch++)
        {
            Assert.True(batch < 20, $"the fault struck {scene.Proxy.Bites} times only");
            await scene.Settle();
        }
    }

    private static string Flip(string body, Random random)
    {
        if (body.Length == 0) return body;
        var at = random.Next(body.Length);
        return string.Concat(body.AsSpan(0, at), ((char)(body[at] ^ (1 << random.Next(4)))).ToString(), body.AsSpan(at + 1));
    }
}
