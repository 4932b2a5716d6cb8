using System.Text.RegularExpressions;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Engines and workers as processes of their own over one database and one chain.</summary>
public sealed partial class ScaleOutTests
{
    [FleetFact]
    public async Task EveryRoleInAProcessOfItsOwn_BecomesFinal_AndAVerifierThatDoesNotTrustLeavesItAlone()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 1);
        var installation = fleet.Installations[0];
        var elsewhere = installation.TrustBut("elsewhere", trust => trust with { Logs = [new string('7', 64)] });
        await using var settler = await fleet.Worker();
        // Without the paying key, and without a check of its own.
        await using var host = await fleet.Engine(0, "engine", "chain.transactionKeyFile=\"\"");
        Receipt receipt;
        await using (var distrusting = await fleet.Worker("verifier", $"outbox.trustFile={elsewhere}"))
        {
            receipt = (await host.Infer("digits", Inputs.Digit(1), "durable")).Expect(200).Receipt;
            await Eventually.Holds("the verifier says what it does not trust", async () => (await distrusting.Conditions()).Contains("EvidenceRefused"));
            Assert.Equal("durable", await host.StageOf(receipt.Id.ToString()));
        }

        await using var verifier = await fleet.Worker("verifier", $"outbox.trustFile={installation.Trust}");
        await fleet.AssertFinalOnce([host], [[receipt]]);
        (await fleet.Verified(0, host, receipt)).Expect(Og.Ok);

        var documented = Row().Matches(await File.ReadAllTextAsync(Repository.At("docs", "scale-out.md"))).Select(match => match.Groups[1].Value).Order();
        Assert.Equal(documented, (await verifier.Metrics()).Families.Keys.Order());
    }

    [FleetFact]
    public async Task AllRolesInEachProcess_AnchorThroughOneOfThem()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 2);
        await using var a = await fleet.Engine(0, "engine,verifier,settler");
        // The second pays from the first one's account: one account, one leader.
        var key = Path.Combine(fleet.Installations[0].Root, fleet.Installations[0].Configuration().GetProperty("chain").GetProperty("transactionKeyFile").GetString()!);
        await using var b = await fleet.Engine(1, "engine,verifier,settler", $"chain.transactionKeyFile={key}");
        using var load = new FleetLoad(a, b);
        await load.UntilFinalOfEach();
        // Two looks, one after the other: a lease that changes hands between them is counted twice or not at all.
        await Eventually.Holds("one of them leads", async () => (await MetricsText.Of(a)).Sum("og_worker_leading") + (await MetricsText.Of(b)).Sum("og_worker_leading") == 1);
        await fleet.AssertFinalOnce([a, b], await load.Stop());
    }

    [FleetFact]
    public async Task SecondProcessOnOneLog_IsRefusedByName()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 1);
        await using var worker = await fleet.Worker();
        // The second is told of a shorter lease than the first one's, so that it has given up before that could run out.
        await using var host = await fleet.Engine(0, "engine,verifier", "outbox.leaseMs=60000");
        using var folder = new TemporaryFolder();
        await using (var copy = await Child.Start("cp", ["-a", fleet.Installations[0].Root, folder.At("copy")])) Assert.Equal(0, await copy.Exit());

        // In the same folder, and with a copy of its keys in another.
        foreach (var config in new[] { fleet.Installations[0].Config, folder.At("copy", "og.json") })
        {
            await using var refused = await ServingHost.Launch(config, fleet.Settings("engine,verifier"));
            Assert.Contains("another process holds", (await refused.Exit()).Expect(Og.Failed).Error);
        }

        (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
    }

    [ChainFact]
    public async Task RolesOverSegments_AreRefusedByName()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var refused = (await Og.Run("serve", "--config", installation.Config, "--roles", "engine,verifier")).Expect(Og.Usage);
        Assert.Contains("roles: with outbox.kind segments engine, verifier and settler are one process", refused.Error);
        refused = (await Og.Run("serve", "--config", installation.Config, "--roles", "settler,baker", "--set", "outbox.kind=postgres")).Expect(Og.Usage);
        Assert.Contains("'baker' is neither engine, verifier nor settler", refused.Error);
        Assert.Contains("outbox.connectionStringFile: outbox.kind postgres needs", refused.Error);
    }

    [GeneratedRegex(@"^\| `(og_worker_[a-z_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
