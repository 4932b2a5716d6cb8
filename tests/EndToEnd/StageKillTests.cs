using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>The host is killed between every two stages, on a chain whose blocks the test makes.</summary>
public sealed class StageKillTests : IAsyncLifetime
{
    private Anvil? _chain;
    private Installation? _installation;

    private Installation Installation => _installation!;

    private Anvil Chain => _chain!;

    public async Task InitializeAsync()
    {
        if (Anvil.Binary is null) return;
        _chain = await Anvil.Start();
        _installation = await Installation.Create(_chain);
    }

    public async Task DisposeAsync()
    {
        _installation?.Dispose();
        if (_chain is not null) await _chain.DisposeAsync();
    }

    [ChainFact]
    public async Task KilledBetweenExecutedAndDurable_ResubmittedReceipt_BecomesFinal()
    {
        Receipt lost, kept;
        using var folder = new TemporaryFolder();
        await using (var host = await Installation.Serve())
        {
            // One final receipt first: the epoch is registered, and nothing but the next promise is on its way.
            kept = (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200).Receipt;
            await Copy(Installation.Root, folder.At("before"));
            lost = (await host.Infer("digits", Inputs.Digit(1))).Expect(200).Receipt;
            await host.Kill();
        }

        // As after a crash before the sync: the folder holds what was there before the promise.
        Directory.Delete(Installation.Root, recursive: true);
        await Copy(folder.At("before"), Installation.Root);
        File.WriteAllBytes(folder.At("lost.ogb"), lost.Encode());
        await using var next = await Installation.Serve();
        Assert.Null(await next.StageOf(lost.Id.ToString()));
        Assert.Equal("final", await next.StageOf(kept.Id.ToString()));

        var submit = (await Og.Run("submit", folder.At("lost.ogb"), "--url", next.Url)).Expect(Og.Ok);
        Assert.Contains(lost.Id.ToString(), submit.Output);
        (await next.Submit(lost)).Expect(200);
        await next.UntilStage(lost.Id.ToString(), "final");
        await Audit.Run(Installation, [kept, lost]);
        File.WriteAllBytes(folder.At("lost.ogb"), await next.Bundle(lost));
        (await Og.Run("verify", folder.At("lost.ogb"), "--trust", Installation.Trust)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task KilledBetweenDurableAndVerified_Restart_Settles()
    {
        var receipts = new List<Receipt>();
        for (var round = 0; round < 3; round++)
        {
            await using var host = await Installation.Serve();
            receipts.Add((await host.Infer("digits", Inputs.Digit(round), "durable")).Expect(200).Receipt);
            await host.Kill();
        }

        await SettleAndAudit(receipts);
    }

    [ChainFact]
    public async Task KilledBetweenVerifiedAndAnchored_BeforeTheTransaction_SettlesOnce()
    {
        Receipt receipt;
        await using (var host = await Installation.Serve("settlement.maxAgeMs=3600000"))
        {
            receipt = (await host.Infer("digits", Inputs.Digit(2), "verified")).Expect(200).Receipt;
            await host.Kill();
        }

        await SettleAndAudit([receipt]);
    }

    [ChainFact]
    public async Task KilledBetweenVerifiedAndAnchored_WithTheTransactionPending_SettlesOnce()
    {
        Receipt first, second;
        await using (var host = await Installation.Serve())
        {
            first = (await host.Infer("digits", Inputs.Digit(3), "final")).Expect(200).Receipt;
            await Chain.StopMining();
            second = (await host.Infer("digits", Inputs.Digit(4), "verified")).Expect(200).Receipt;
            await Eventually.Holds("the anchor's transaction is pending", async () => await Chain.Pending() > 0);
            await host.Kill();
        }

        // Twice: the second start finds the transaction that the first one found.
        await using (var host = await Installation.Serve())
        {
            Assert.Equal("verified", await Settled(host, second));
            await host.Kill();
        }

        await using var last = await Installation.Serve();
        Assert.Equal("verified", await Settled(last, second));
        await MineUntil(last, second, "final");
        await Audit.Run(Installation, [first, second]);
    }

    [ChainFact]
    public async Task KilledBetweenAnchoredAndFinal_Restart_BecomesFinalOnce()
    {
        Receipt receipt;
        await using (var host = await Installation.Serve())
        {
            (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
            await Chain.StopMining();
            receipt = (await host.Infer("digits", Inputs.Digit(5), "verified")).Expect(200).Receipt;
            await Eventually.Holds("the anchor's transaction is pending", async () => await Chain.Pending() > 0);
            await Chain.Mine();
            await host.UntilStage(receipt.Id.ToString(), "anchored");
            Assert.Equal("anchored", await host.StageOf(receipt.Id.ToString()));
            await host.Kill();
        }

        await using var next = await Installation.Serve();
        Assert.Equal("anchored", await next.StageOf(receipt.Id.ToString()));
        await MineUntil(next, receipt, "final");
        await Audit.Run(Installation, [receipt]);
    }

    // The receipt's stage once the new process has looked at the chain.
    private static async Task<string?> Settled(ServingHost host, Receipt receipt)
    {
        await Eventually.Holds("the host has verified what it read back", async () => await host.StageOf(receipt.Id.ToString()) is not ("executed" or "durable"));
        return await host.StageOf(receipt.Id.ToString());
    }

    private Task MineUntil(ServingHost host, Receipt receipt, string stage) => Eventually.Holds($"{stage} after some blocks", async () =>
    {
        await Chain.Mine();
        return await host.StageOf(receipt.Id.ToString()) == stage;
    });

    private async Task SettleAndAudit(IReadOnlyCollection<Receipt> receipts)
    {
        await using var host = await Installation.Serve();
        foreach (var receipt in receipts) await host.UntilStage(receipt.Id.ToString(), "final");
        await Audit.Run(Installation, receipts);
    }

    // By cp: the runtime would ask for a lock, which the living host holds.
    private static async Task Copy(string from, string to)
    {
        await using var copy = await Child.Start("cp", ["-a", from, to]);
        Assert.Equal(0, await copy.Exit());
    }
}
