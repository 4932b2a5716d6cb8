using System.Diagnostics;
using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;
using Xunit.Abstractions;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Workers, engines and the database end while everything is asked: another goes on, and nothing acknowledged is lost.</summary>
public sealed class ScaleOutFaultTests(ITestOutputHelper output)
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
        using var load = new FleetLoad(a, b, c);
        await load.UntilFinalOfEach();

        await first.Kill();
        var clock = Stopwatch.StartNew();
        await Eventually.Holds("the second worker leads", second.IsLeading);
        var led = clock.Elapsed;
        await load.UntilFinalOfEach();
        output.WriteLine($"kill -9 of the leader: the second led after {led.TotalSeconds:0.0} s (lease 6 s), a receipt of each engine handed over after the kill was final after {clock.Elapsed.TotalSeconds:0.0} s");

        var receipts = await load.Stop();
        await fleet.AssertFinalOnce([a, b, c], receipts);
        Assert.Equal(3, (await StateOf(second)).GetProperty("logs").GetInt32());
        (await fleet.Verified(2, c, receipts[2][0])).Expect(Og.Ok);
    }

    [FleetFact]
    public async Task DatabaseKilledUnderLoad_AnswersGoOnAndNothingAcknowledgedIsLost()
    {
        await using var fleet = await Fleet.Create(await Anvil.Shared, 2);
        await using var worker = await fleet.Worker();
        await using var a = await fleet.Engine(0);
        await using var b = await fleet.Engine(1);
        using var load = new FleetLoad(a, b);
        await load.UntilFinalOfEach();

        await fleet.Server.Kill();
        var clock = Stopwatch.StartNew();
        (await a.Infer("digits", Inputs.Digit(3), "fast")).Expect(200); // promises are still given for a while
        await a.UntilCondition("OutboxUnreachable");
        await fleet.Server.Launch();
        var back = clock.Elapsed;
        await load.UntilFinalOfEach();
        output.WriteLine($"kill -9 of the database: it answered again after {back.TotalSeconds:0.0} s, a receipt of each engine handed over after that was final after {clock.Elapsed.TotalSeconds:0.0} s");
        await Eventually.Holds("the condition ends", async () => (await MetricsText.Of(a)).Sum("og_condition") == 0);
        Assert.True((await MetricsText.Of(a)).Sum("og_conditions_total", "OutboxUnreachable") >= 1);

        await fleet.AssertFinalOnce([a, b], await load.Stop());
    }

    [FleetFact]
    public async Task LeaderStoppedBeyondItsLease_IsReplacedAndWritesNothingWhenItGoesOn()
    {
        // Longer than this machine may stand still: the lease is lost by the worker that is stopped, never by the other.
        const string lease = "outbox.leaseMs=10000";
        await using var fleet = await Fleet.Create(await Anvil.Shared, 2);
        await using var first = await fleet.Worker("settler", lease);
        await Eventually.Holds("the first worker leads", first.IsLeading);
        await using var second = await fleet.Worker("settler", lease);
        await using var a = await fleet.Engine(0);
        await using var b = await fleet.Engine(1);
        using var load = new FleetLoad(a, b);
        await load.UntilFinalOfEach();
        var fence = (await StateOf(first)).GetProperty("fence").GetInt64();

        for (var round = 0; round < 3; round++)
        {
            var (leader, other) = (await StateOf(first)).GetProperty("leading").GetBoolean() ? (first, second) : (second, first);
            leader.Signal(WorkerProcess.SigStop);
            await Eventually.Holds("the other worker leads", other.IsLeading);
            await load.UntilFinalOfEach();
            leader.Signal(WorkerProcess.SigCont);
            await Eventually.Holds("the stopped one has noticed", async () => await leader.State() is { ValueKind: JsonValueKind.Object } state && !state.GetProperty("leading").GetBoolean());
            Assert.True((await StateOf(other)).GetProperty("fence").GetInt64() > fence);
            await load.UntilFinalOfEach();
            Assert.True((await StateOf(other)).GetProperty("leading").GetBoolean()); // it was not pushed out by the one that came back
        }

        await fleet.AssertFinalOnce([a, b], await load.Stop());
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
        await fleet.AssertFinalOnce([last], [receipts]);
    }

    // A worker that is slow to answer is asked again: its silence says nothing of its lease.
    private static async Task<JsonElement> StateOf(WorkerProcess worker)
    {
        JsonElement state = default;
        await Eventually.Holds("the worker answers", async () => (state = await worker.State()).ValueKind == JsonValueKind.Object);
        return state;
    }
}
