using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Stopping, starting twice, and chains that are absent, wrong or empty.</summary>
public sealed class OperationsTests
{
    [ChainFact]
    public async Task Sigterm_WhileCallersWait_AnswersThemExitsZeroAndLosesNothing()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        Receipt[] receipts;
        await using (var host = await installation.Serve())
        {
            var calls = Enumerable.Range(0, 24).Select(index => host.Infer("digits", Inputs.Digit(index), index % 2 == 0 ? "durable" : null)).ToArray();
            await Task.WhenAny(calls);
            host.Signal(Child.SigTerm);
            var answers = await Task.WhenAll(calls.Select(call => call.ContinueWith(done => done.IsCompletedSuccessfully ? done.Result : null, TaskScheduler.Default)));
            var exit = await host.Exit();
            exit.Expect(Og.Ok);

            // A call is answered, or refused by name, or its connection had not been taken yet.
            Assert.All(answers.OfType<Answer>(), answer => Assert.True(answer.Code is 200 or 503, answer.Text));
            receipts = [.. answers.OfType<Answer>().Where(answer => answer.Code == 200).Select(answer => answer.Receipt)];
            Assert.NotEmpty(receipts);
        }

        // Drained means stored: also what was promised fast.
        await using var next = await installation.Serve();
        foreach (var receipt in receipts) await next.UntilStage(receipt.Id.ToString(), "final");
        await Audit.Run(installation, receipts);
    }

    [ChainFact]
    public async Task Sigterm_WithALongWaitAndAStreamOpen_EndsInTime()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("settlement.maxAgeMs=3600000");
        var receipt = (await host.Infer("digits", Inputs.Digit(0), "durable")).Expect(200).ReceiptId;
        using var stream = await host.Http.GetAsync($"v1/receipts/{receipt}/events", HttpCompletionOption.ResponseHeadersRead);
        using var page = await host.Http.GetAsync("v1/events", HttpCompletionOption.ResponseHeadersRead);
        var wait = host.Infer("digits", Inputs.Digit(1), "final", timeout: 600_000);
        await Eventually.Holds("the waiting call is in", async () => (await host.Overview()).GetProperty("throughput").GetProperty("requests").GetInt64() >= 2);
        host.Signal(Child.SigTerm);
        (await host.Exit()).Expect(Og.Ok);
        var answer = (await wait).Expect(503);
        Assert.Contains("stopping", answer.Error);
        Assert.Matches("^[0-9a-f]{32}$", answer.ReceiptId);
    }

    [ChainFact]
    public async Task SecondHost_OnTheSameFolder_IsRefusedAndTheFirstGoesOn()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var first = await installation.Serve();
        await using var second = await ServingHost.Launch(installation.Config, []);
        var refused = (await second.Exit()).Expect(Og.Failed);
        Assert.Contains("another process holds", refused.Error);
        Assert.Contains(Path.Combine(installation.Root, "outbox"), refused.Error);
        (await first.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
    }

    [ChainFact]
    public async Task Chain_DownAtStartAndAgainLater_HoldsReceiptsUntilItIsBack()
    {
        using var folder = new TemporaryFolder();
        // Not a port of the kernel's choice: while the chain is down it would be anybody's.
        var chain = await Anvil.Start(Ports.Free(), folder.At("state.json"));
        using var installation = await Installation.Create(chain);
        var port = new Uri(chain.Url).Port;
        await chain.Stop();

        await using var host = await installation.Serve();
        var early = (await host.Infer("digits", Inputs.Digit(0), "verified")).Expect(200).Receipt;
        await host.UntilCondition("unreachable");
        Assert.NotEmpty((await host.Overview()).GetProperty("chain").GetProperty("detail").GetString()!);
        Assert.Equal("verified", await host.StageOf(early.Id.ToString()));

        chain = await Anvil.Start(port, folder.At("state.json"));
        await host.UntilStage(early.Id.ToString(), "final");
        await host.UntilCondition("ok");

        await chain.Stop();
        var late = (await host.Infer("encoder", Inputs.Sentences[0].Body, "verified")).Expect(200).Receipt;
        (await host.Infer("digits", Inputs.Digit(1), "anchored", timeout: 50)).Expect(202);
        await host.UntilCondition("unreachable");

        chain = await Anvil.Start(port, folder.At("state.json"));
        await using var back = chain;
        await host.UntilStage(late.Id.ToString(), "final");
        await host.UntilCondition("ok");
        await Audit.Run(installation, [early, late]);
    }

    [ChainTheory]
    [InlineData("chain.id=5", "WrongChain")]
    [InlineData("chain.contract=0x00112233445566778899aabbccddeeff00112233", "ContractMissing")]
    public async Task Chain_ThatIsNotTheOne_KeepsReceiptsAndSaysSo(string setting, string condition)
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        Receipt receipt;
        await using (var host = await installation.Serve(setting))
        {
            receipt = (await host.Infer("digits", Inputs.Digit(0), "durable")).Expect(200).Receipt;
            await host.UntilCondition(condition);
            Assert.Contains(await host.StageOf(receipt.Id.ToString()), new[] { "durable", "verified" });
            using var metrics = await host.Http.GetAsync(host.OperatorUrl + "metrics");
            Assert.Contains($"og_condition{{kind=\"{condition}\"}} 1", await metrics.Content.ReadAsStringAsync());
        }

        // Set right again, later receipts settle; the one that named another chain in its evidence is not passed off as one of this chain.
        await using var repaired = await installation.Serve();
        (await repaired.Infer("digits", Inputs.Digit(1), "final")).Expect(200);
        Assert.NotNull(await repaired.StageOf(receipt.Id.ToString()));
    }

    [ChainFact]
    public async Task Init_AgainstWhatIsNoChain_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var absent = await Og.Run("init", "--development", "--data", folder.At("data"), "--rpc", $"http://127.0.0.1:{Ports.Free()}/", "--models", Repository.Models);
        Assert.Contains("chain cannot be asked", absent.Expect(Og.Usage).Error);
        var models = await Og.Run("init", "--development", "--data", folder.At("data"), "--rpc", (await Anvil.Shared).Url, "--models", folder.At("absent"));
        Assert.Contains("absent", models.Expect(Og.Usage).Error);
    }

    [ChainFact]
    public async Task Init_Again_ChangesNothingAndAForgetfulChainIsNamed()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var before = File.ReadAllText(installation.Config);
        (await Og.Run("init", "--development", "--data", installation.Root, "--rpc", installation.Chain.Url, "--models", Repository.Models)).Expect(Og.Ok);
        Assert.Equal(before, File.ReadAllText(installation.Config));

        await using var fresh = await Anvil.Start();
        var forgotten = await Og.Run("init", "--development", "--data", installation.Root, "--rpc", fresh.Url, "--models", Repository.Models);
        Assert.Contains("lost its state", forgotten.Expect(Og.Usage).Error);
    }
}
