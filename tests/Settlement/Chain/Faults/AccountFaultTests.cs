using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>Nonces, fees and funds.</summary>
public sealed class AccountFaultTests : FaultTable
{
    private const string Plenty = "0x56bc75e2d63100000";

    [AnvilFact]
    public Task Nonce_Gap_SendsTheLowestFirst() => EachSeed(async scene =>
    {
        await scene.Begin();
        await scene.Send();
        var nonce = await Nonce();
        for (var i = 1; i <= scene.Random.Next(1, 4); i++) await SendForeign(nonce + (ulong)i); // later ones wait behind ours
        await Node.Call("anvil_dropTransaction", $"[\"0x{Eip1559.Read(scene.Transactions[^1]).Hash}\"]");
        await Node.Mine();
        Assert.Equal(nonce, await Nonce()); // the fault bit: a gap, and nothing after it moves
        await scene.End();
        Assert.True(await Nonce() > nonce + 1);
    });

    [AnvilFact]
    public Task Nonce_TakenByAForeignTransaction_UsesANewOne() => EachSeed(async scene =>
    {
        await scene.Begin();
        await scene.Send();
        var (sent, nonce) = (scene.Transactions.Count, await Nonce());
        await Node.Call("anvil_dropAllTransactions", "[]");
        await SendForeign(nonce);
        await Node.Mine();
        Assert.Equal(nonce + 1, await Nonce()); // the fault bit
        await scene.End();
        Assert.True(scene.Transactions.Count > sent);
        Assert.True(Eip1559.Read(scene.Transactions[sent]).Nonce > nonce);
    });

    [AnvilFact]
    public Task Fee_SpikesAboveTheOffer_IsReplacedByAtLeastAnEighth() => EachSeed(async scene =>
    {
        await scene.Begin();
        await scene.Send();
        var first = scene.Transactions.Count - 1;
        var before = (await Node.Anchors(scene.Engine.Log.LogId)).Count;
        await Node.Call("anvil_setNextBlockBaseFeePerGas", $"[\"0x{(ulong)scene.Random.Next(20, 60) * 1_000_000_000:x}\"]");
        await Node.Mine();
        Assert.Equal(before, (await Node.Anchors(scene.Engine.Log.LogId)).Count); // the fault bit
        await scene.End();
        Assert.True(AssertReplacements(scene, first) > 0, "no replacement was sent");
    });

    [AnvilFact]
    public Task Fee_ReplacementUnderpriced_IsRaisedUntilTheNodeTakesIt() => EachSeed(async scene =>
    {
        await scene.Begin();
        await scene.Send();
        var first = scene.Transactions.Count - 1;
        var refusals = scene.Random.Next(1, 4);
        var refused = 0;
        scene.Proxy.Plan = text => text.Contains("eth_sendRawTransaction", StringComparison.Ordinal) && refused < refusals && IsNew(scene, text, first) ? ProxyFault.AnswerBefore : ProxyFault.None;
        scene.Proxy.Rewrite = (text, _) =>
        {
            refused++;
            return $"[{{\"jsonrpc\":\"2.0\",\"id\":{text.Split("\"id\":")[1].Split(',')[0]},\"error\":{{\"code\":-32000,\"message\":\"replacement transaction underpriced\"}}}}]";
        };
        // No block takes it: a fee below the base fee, and blocks that pass. The node itself is shown none of the refused ones.
        await Node.Call("anvil_setNextBlockBaseFeePerGas", "[\"0xba43b7400\"]");
        await Node.Mine();
        for (var round = 0; refused < refusals; round++)
        {
            Assert.True(round < 40, $"only {refused} of {refusals} were refused");
            await scene.Engine.Tick();
            await Node.Mine();
        }

        Assert.Equal(refusals, scene.Proxy.Bites);
        scene.Proxy.Plan = _ => ProxyFault.None;
        await scene.End();
        Assert.True(AssertReplacements(scene, first) >= refusals);
    });

    [AnvilFact]
    public Task Fee_CapReached_HoldsByNameAndGoesOn() => EachSeed(async scene =>
    {
        scene.Engine.Options = scene.Engine.Options with { MaxFeePerGas = 12_000_000_000 };
        await scene.Begin();
        await Node.Call("anvil_setNextBlockBaseFeePerGas", "[\"0x4a817c800\"]"); // 20 gwei
        await Node.Mine();
        var batch = await scene.Accept();
        // Blocks that are empty lower the base fee by an eighth each; the cap lies four of them below.
        for (var round = 0; !scene.Has(ConditionKind.FeeCapReached); round++)
        {
            Assert.True(round < 20, "the cap was not reached");
            await scene.Engine.Tick();
        }

        Assert.Equal(ReceiptStage.Verified, scene.Stage(batch));
        await scene.End();
        Assert.All(scene.Transactions, raw => Assert.True(Eip1559.Read(raw).MaxFee <= 12_000_000_000));
    });

    [AnvilFact]
    public Task Account_Empty_HoldsByNameAndGoesOn() => EachSeed(async scene =>
    {
        await scene.Begin();
        await Node.Call("anvil_setBalance", $"[\"{Node.Account.Address}\",\"0x{scene.Random.Next(0, 1000):x}\"]");
        var batch = await scene.Accept();
        await scene.Ticks(scene.Random.Next(4, 8));
        Assert.True(scene.Has(ConditionKind.AccountEmpty)); // the fault bit
        Assert.Equal(ReceiptStage.Verified, scene.Stage(batch));
        await Node.Call("anvil_setBalance", $"[\"{Node.Account.Address}\",\"{Plenty}\"]");
        await scene.End();
    });

    [AnvilFact]
    public Task Spending_LimitOfADayReached_HoldsByNameAlsoAfterARestartAndGoesOnADayLater() => EachSeed(async scene =>
    {
        var clock = new ShiftedTime();
        scene.Engine.Clock = clock;
        await scene.Begin();
        scene.Engine.Stop();
        // Room for a few anchors: one costs some 34,000 gas at a few gwei, and may cost up to twice that.
        scene.Engine.Options = scene.Engine.Options with { MaxSpendPerDay = await Spent(scene) + 700_000_000_000_000 };
        scene.Engine.Start();
        var settled = 0;
        SealedBatch held;
        while (true)
        {
            held = await scene.Accept();
            for (var round = 0; round < 12 && scene.Stage(held) != ReceiptStage.Final; round++)
            {
                await scene.Engine.Tick();
                await Node.Mine();
            }

            if (scene.Has(ConditionKind.SpendLimitReached)) break;
            Assert.True(++settled < 60, "the limit was never reached");
        }

        Assert.Equal(ReceiptStage.Verified, scene.Stage(held)); // the fault bit
        Assert.True(await Spent(scene) <= scene.Engine.Options.MaxSpendPerDay);
        var condition = scene.Engine.Service.Conditions.Single(one => one.Kind == ConditionKind.SpendLimitReached);
        Assert.Contains($"{scene.Engine.Options.MaxSpendPerDay} wei for 24 hours", condition.Text, StringComparison.Ordinal);

        scene.Engine.Stop();
        scene.Engine.Start();
        await scene.Ticks(3);
        Assert.True(scene.Has(ConditionKind.SpendLimitReached), "a restart forgot what was spent");
        Assert.Empty(scene.Engine.Faults.Sent);

        clock.Ahead += TimeSpan.FromHours(24.1);
        await scene.End();
    });

    // What the account has really paid since it was given coins.
    private async Task<UInt128> Spent(Scene scene)
    {
        UInt128 sum = 0;
        foreach (var raw in scene.EverSent)
        {
            var reply = await Node.Call("eth_getTransactionReceipt", $"[\"0x{Eip1559.Read(raw).Hash}\"]");
            if (reply.Result.ValueKind != System.Text.Json.JsonValueKind.Object) continue;
            sum += (UInt128)Convert.ToUInt64(reply.Result.GetProperty("gasUsed").GetString(), 16) * Convert.ToUInt64(reply.Result.GetProperty("effectiveGasPrice").GetString(), 16);
        }

        return sum;
    }

    private static bool IsNew(Scene scene, string text, int first) => !text.Contains(scene.Transactions[first], StringComparison.Ordinal);

    /// <summary>Checks every replacement against the one before it; how many there were.</summary>
    private static int AssertReplacements(Scene scene, int first)
    {
        var replaced = 0;
        for (var i = first + 1; i < scene.Transactions.Count; i++)
        {
            var (before, after) = (Eip1559.Read(scene.Transactions[i - 1]), Eip1559.Read(scene.Transactions[i]));
            if (after.Nonce != before.Nonce) continue;
            replaced++;
            Assert.True(8 * after.MaxFee >= 9 * before.MaxFee, $"fee {before.MaxFee} was replaced by {after.MaxFee}");
            Assert.True(8 * after.MaxPriorityFee >= 9 * before.MaxPriorityFee, $"tip {before.MaxPriorityFee} was replaced by {after.MaxPriorityFee}");
        }

        return replaced;
    }
}
