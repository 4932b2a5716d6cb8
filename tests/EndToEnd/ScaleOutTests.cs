using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;
using Xunit.Abstractions;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Engines and workers as processes of their own over one database and one chain.</summary>
public sealed partial class ScaleOutTests(ITestOutputHelper output)
{
    [FleetFact]
    public async Task ThreeEnginesTwoWorkers_LeaderKilledUnderLoad_EverythingIsFinalOnce()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 3);
        await using var first = await fleet.Worker();
        await Eventually.Holds("the first worker leads", first.IsLeading);
        await using var second = await fleet.Worker();
        await using var a = await fleet.Engine(0);
        await using var b = await fleet.Engine(1);
        await using var c = await fleet.Engine(2);
        using var load = new Load(a, b, c);
        await load.UntilFinalOfEach();

        await first.Kill();
        var clock = Stopwatch.StartNew();
        await Eventually.Holds("the second worker leads", second.IsLeading);
        var led = clock.Elapsed;
        await load.UntilFinalOfEach();
        output.WriteLine($"kill -9 of the leader: the second led after {led.TotalSeconds:0.0} s (lease 2 s), a receipt of each engine handed over after the kill was final after {clock.Elapsed.TotalSeconds:0.0} s");

        var receipts = await load.Stop();
        await AssertFinalOnce(fleet, [a, b, c], receipts);
        Assert.Equal(3, (await second.State()).GetProperty("logs").GetInt32());
        (await Verified(fleet, 2, c, receipts[2][0])).Expect(Og.Ok);
    }

    [FleetFact]
    public async Task DatabaseKilledUnderLoad_AnswersGoOnAndNothingAcknowledgedIsLost()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 2);
        await using var worker = await fleet.Worker();
        await using var a = await fleet.Engine(0);
        await using var b = await fleet.Engine(1);
        using var load = new Load(a, b);
        await load.UntilFinalOfEach();

        await fleet.Server.Kill();
        var clock = Stopwatch.StartNew();
        await a.UntilCondition("OutboxUnreachable");
        (await a.Infer("digits", Inputs.Digit(3), "fast")).Expect(200); // promises are still given for a while
        await fleet.Server.Launch();
        var back = clock.Elapsed;
        await load.UntilFinalOfEach();
        output.WriteLine($"kill -9 of the database: it answered again after {back.TotalSeconds:0.0} s, a receipt of each engine handed over after that was final after {clock.Elapsed.TotalSeconds:0.0} s");
        await Eventually.Holds("the condition ends", async () => (await MetricsText.Of(a)).Sum("og_condition") == 0);
        Assert.True((await MetricsText.Of(a)).Sum("og_conditions_total", "OutboxUnreachable") >= 1);

        await AssertFinalOnce(fleet, [a, b], await load.Stop());
    }

    [FleetFact]
    public async Task LeaderStoppedBeyondItsLease_IsReplacedAndWritesNothingWhenItGoesOn()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 2);
        await using var first = await fleet.Worker();
        await Eventually.Holds("the first worker leads", first.IsLeading);
        await using var second = await fleet.Worker();
        await using var a = await fleet.Engine(0);
        await using var b = await fleet.Engine(1);
        using var load = new Load(a, b);
        await load.UntilFinalOfEach();
        var fence = (await first.State()).GetProperty("fence").GetInt64();

        for (var round = 0; round < 3; round++)
        {
            var (leader, other) = await first.IsLeading() ? (first, second) : (second, first);
            leader.Signal(WorkerProcess.SigStop);
            await Eventually.Holds("the other worker leads", other.IsLeading);
            await load.UntilFinalOfEach();
            leader.Signal(WorkerProcess.SigCont);
            await Eventually.Holds("the stopped one has noticed", async () => await leader.State() is { ValueKind: System.Text.Json.JsonValueKind.Object } state && !state.GetProperty("leading").GetBoolean());
            Assert.True((await other.State()).GetProperty("fence").GetInt64() > fence);
            await load.UntilFinalOfEach();
            Assert.True(await other.IsLeading()); // it was not pushed out by the one that came back
        }

        await AssertFinalOnce(fleet, [a, b], await load.Stop());
    }

    [FleetFact]
    public async Task EngineKilledAndStartedAgain_TakesItsLogUpAtOnce()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 1);
        await using var worker = await fleet.Worker();
        var receipts = new List<Receipt>();
        for (var round = 0; round < 3; round++)
        {
            await using var host = await fleet.Engine(0);
            receipts.Add((await host.Infer("digits", Inputs.Digit(round), "durable")).Expect(200).Receipt);
            await host.Kill();
        }

        await using var last = await fleet.Engine(0);
        await AssertFinalOnce(fleet, [last], [receipts]);
    }

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
        await AssertFinalOnce(fleet, [host], [[receipt]]);
        (await Verified(fleet, 0, host, receipt)).Expect(Og.Ok);

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
        using var load = new Load(a, b);
        await load.UntilFinalOfEach();
        var leading = (await MetricsText.Of(a)).Sum("og_worker_leading") + (await MetricsText.Of(b)).Sum("og_worker_leading");
        Assert.Equal(1, leading);
        await AssertFinalOnce(fleet, [a, b], await load.Stop());
    }

    [FleetFact]
    public async Task SecondProcessOnOneLog_IsRefusedByName()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 1);
        await using var worker = await fleet.Worker();
        await using var host = await fleet.Engine(0);
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

    private static async Task AssertFinalOnce(Fleet fleet, ServingHost[] hosts, IReadOnlyList<IReadOnlyCollection<Receipt>> receipts)
    {
        for (var i = 0; i < hosts.Length; i++)
        {
            Assert.NotEmpty(receipts[i]);
            foreach (var receipt in receipts[i]) await hosts[i].UntilStage(receipt.Id.ToString(), "final");
            await Audit.Run(fleet.Installations[i], receipts[i]);
        }
    }

    private static async Task<OgResult> Verified(Fleet fleet, int index, ServingHost host, Receipt receipt)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.At("receipt.ogb"), await host.Bundle(receipt));
        return await Og.Run("verify", folder.At("receipt.ogb"), "--trust", fleet.Installations[index].Trust);
    }

    [GeneratedRegex(@"^\| `(og_worker_[a-z_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    /// <summary>Asks every engine without end, and remembers what was acknowledged as durable.</summary>
    private sealed class Load : IDisposable
    {
        private readonly ServingHost[] _hosts;
        private readonly ConcurrentQueue<Receipt>[] _durable;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Load(params ServingHost[] hosts)
        {
            _hosts = hosts;
            _durable = [.. hosts.Select(_ => new ConcurrentQueue<Receipt>())];
            _running = Task.WhenAll(hosts.Select((host, index) => Task.Run(() => Ask(host, _durable[index]))));
        }

        /// <summary>A receipt of each engine that is handed over from now on is final.</summary>
        public async Task UntilFinalOfEach()
        {
            for (var i = 0; i < _hosts.Length; i++)
            {
                var known = _durable[i].Count;
                var receipt = await Eventually.Value($"engine {i} makes a receipt durable", () => Task.FromResult(_durable[i].Skip(known).FirstOrDefault()), () => _hosts[i].Printed);
                await _hosts[i].UntilStage(receipt.Id.ToString(), "final");
            }
        }

        public async Task<IReadOnlyList<IReadOnlyList<Receipt>>> Stop()
        {
            await _stop.CancelAsync();
            await _running;
            return [.. _durable.Select(receipts => receipts.ToList())];
        }

        public void Dispose()
        {
            _stop.Cancel();
            _stop.Dispose();
        }

        private async Task Ask(ServingHost host, ConcurrentQueue<Receipt> durable)
        {
            for (var index = 0; !_stop.IsCancellationRequested; index++)
            {
                try
                {
                    var answer = await host.Infer("digits", Inputs.Digit(index), "durable", 2_000);
                    // A wait that ran out, and a refusal while the database is away, acknowledge nothing.
                    if (answer.Code == 200 && answer.Stage is not (null or "executed")) durable.Enqueue(answer.Receipt);
                }
                catch (HttpRequestException)
                {
                    return; // the engine was stopped
                }

                await Task.Delay(20);
            }
        }
    }
}
