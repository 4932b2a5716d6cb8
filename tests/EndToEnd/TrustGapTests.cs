using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Embedding;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>The gap as operators and callers meet it: figures, bound, waits that run out.</summary>
public sealed class TrustGapTests
{
    [ChainFact]
    public async Task Bound_ChainStandsStillAndGoesOn_SlowsCallersThenRefusesThemAndRecovers()
    {
        await using var chain = await Anvil.Start();
        using var installation = await Installation.Create(chain);
        await using var host = await installation.Serve("trustGap.maxOpenReceipts=2", "trustGap.onExceeded=slowDown", "trustGap.refuseAt=2", "trustGap.maxDelayMs=50");
        var settled = (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        await chain.StopMining();
        for (var i = 0; i < 4; i++) (await host.Infer("digits", Inputs.Digit(i), "durable")).Expect(200); // the third and fourth a little later
        var refused = (await host.Infer("digits", Inputs.Digit(5))).Expect(503);
        Assert.Contains("not final yet", refused.Error);
        Assert.Equal("1", refused.Header("Retry-After"));
        var bound = (await host.Overview()).GetProperty("bound");
        Assert.Equal(("refusing", "slowDown", 2.0), (bound.GetProperty("state").GetString(), bound.GetProperty("onExceeded").GetString(), bound.GetProperty("used").GetDouble()));
        var metrics = await MetricsText.Of(host);
        Assert.Equal((2, 1), (metrics.Sum("og_gap_bound_requests_total", "slowed"), metrics.Sum("og_gap_bound_requests_total", "refused")));
        Assert.Equal(4, metrics.Sum("og_model_open_receipts", "digits"));

        await Eventually.Holds("all is final", async () =>
        {
            await chain.Mine();
            return (await host.Overview()).GetProperty("gap").GetProperty("open").GetInt64() == 0;
        });
        (await host.Infer("digits", Inputs.Digit(6))).Expect(200);
        Assert.Equal(1, (await MetricsText.Of(host)).Sum("og_gap_bound_requests_total", "refused"));
        Assert.Equal("final", await host.StageOf(settled.ReceiptId!));
    }

    [ChainFact]
    public async Task Metrics_AfterReceiptsOfTwoModels_ShowTheirGapsTheObjectiveAndWhyBatchesClosed()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("trustGap.objectiveMs=600000");
        (await host.Infer("encoder", Inputs.Sentences[0].Body, "final")).Expect(200);
        (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        var metrics = await MetricsText.Of(host);
        foreach (var model in new[] { "digits", "encoder" })
            foreach (var stage in new[] { "durable", "verified", "anchored", "final" })
            {
                string[] labels = [$"model=\"{model}\"", $"stage=\"{stage}\""];
                Assert.Equal((1, 1), (metrics.Sum("og_model_gap_seconds_count", labels), metrics.Sum("og_model_gap_seconds_bucket", [.. labels, "+Inf"])));
                Assert.True(metrics.Sum("og_model_gap_seconds_sum", labels) > 0);
                Assert.True(metrics.Sum("og_model_gap_max_seconds", labels) > 0);
            }

        Assert.True(metrics.Sum("og_model_gap_seconds_sum", "digits", "durable") < metrics.Sum("og_model_gap_seconds_sum", "digits", "final"));
        Assert.Equal((2, 0), (metrics.Sum("og_objective_receipts_total", "true"), metrics.Sum("og_objective_receipts_total", "false")));
        Assert.Equal(600, metrics.Sum("og_objective_seconds", "final"));
        Assert.Equal(2, metrics.Sum("og_settlement_closes_total", "Age"));
        var closing = (await host.Overview()).GetProperty("closing");
        Assert.Equal(("age", "Age"), (closing.GetProperty("rule").GetString(), closing.GetProperty("last").GetString()));
        Assert.Equal(["digits", "encoder"], (await host.Overview()).GetProperty("gap").GetProperty("byModel").EnumerateArray().Select(model => model.GetProperty("model").GetString()).Order());
    }

    [ChainFact]
    public async Task Closing_Adaptive_SaysThatTheObjectiveWasNear()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("settlement.closing=adaptive", "settlement.maxAgeMs=3600000", "trustGap.objectiveStage=anchored", "trustGap.objectiveMs=2000");
        var answer = (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        Assert.Equal("Objective", (await host.Get($"v1/receipts/{answer.ReceiptId}")).Json.GetProperty("closedBecause").GetString());
    }

    [ChainFact]
    public async Task KeptAnswer_HostKilled_IsFetchedWholeFromTheNextOneOnce()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        string id;
        await using (var host = await installation.Serve("settlement.maxAgeMs=3600000"))
        {
            var kept = (await host.Infer("digits", Inputs.Digit(3), "final", timeout: 1)).Expect(202);
            id = kept.ReceiptId!;
            Assert.Equal(id, kept.Json.GetProperty("id").GetString());
            await host.UntilStage(id, "durable");
            await host.Kill();
        }

        await using var next = await installation.Serve();
        var (answer, receipt) = (Path.Combine(installation.Root, "kept.json"), Path.Combine(installation.Root, "kept.ogb"));
        var fetched = await Og.Run("answer", id, "--url", next.Url, "--wait", "final", "--output", answer, "--receipt", receipt);
        Assert.Contains($"receipt {id}  final", fetched.Expect(Og.Ok).Output);
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(answer));
        Assert.Equal("digits", document.RootElement.GetProperty("model_name").GetString());
        (await Og.Run("verify", receipt, "--trust", installation.Trust)).Expect(Og.Ok);
        Assert.Contains("no answer is kept", (await Og.Run("answer", id, "--url", next.Url)).Expect(Og.Unavailable).Error);
        Assert.Empty(Directory.GetFiles(Path.Combine(installation.Root, "answers")));
    }

    [ChainFact]
    public async Task KeptAnswer_FetchedWithAWaitThatRunsOutAgain_StaysKept()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("settlement.maxAgeMs=3600000");
        var id = (await host.Infer("digits", Inputs.Digit(3), "final", timeout: 0)).Expect(202).ReceiptId!;
        using var again = new HttpRequestMessage(HttpMethod.Get, $"v1/answers/{id}") { Headers = { { "OG-Release", "final" }, { "OG-Release-Timeout-Ms", "1" } } };
        var still = (await Answer.Of(await host.Http.SendAsync(again))).Expect(202);
        Assert.Equal(id, still.ReceiptId);
        Assert.Contains("'soon' is none of", (await Answer.Of(await host.Http.SendAsync(new(HttpMethod.Get, $"v1/answers/{id}") { Headers = { { "OG-Release", "soon" } } }))).Expect(400).Error);
        var now = (await host.Get($"v1/answers/{id}")).Expect(200);
        Assert.Equal(id, now.Receipt.Id.ToString());
        Assert.NotEqual("final", now.Stage);
    }

    [ChainFact]
    public async Task Sigterm_WhileACallerWaits_KeepsTheAnswerForTheNextHost()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        Answer told;
        await using (var host = await installation.Serve("settlement.maxAgeMs=3600000"))
        {
            var waiting = host.Infer("digits", Inputs.Digit(1), "final", timeout: 600_000);
            await Eventually.Holds("the request waits", async () => (await host.Overview()).GetProperty("gap").GetProperty("open").GetInt64() == 1);
            host.Signal(Child.SigTerm);
            told = (await waiting).Expect(503);
            (await host.Exit()).Expect(Og.Ok);
        }

        await using var next = await installation.Serve();
        await next.UntilStage(told.ReceiptId!, "final");
        var answer = (await next.Get(told.Json.GetProperty("answer").GetString()![1..])).Expect(200);
        Assert.Equal((told.ReceiptId, "final"), (answer.Receipt.Id.ToString(), answer.Stage));
    }

    [ChainFact]
    public async Task Embedded_WaitThatRunsOut_HandsTheAnswerOverAndEachPolicyIsKept()
    {
        await using var chain = await Anvil.Start();
        using var installation = await Installation.Create(chain);
        var configuration = ConfigurationLoader.Load(installation.Config, new Hashtable(), ["settlement.maxAgeMs=150", "settlement.tickMs=50"]);
        await using var services = new ServiceCollection().AddOpenGradientEngine(configuration).BuildServiceProvider();
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
        var engine = services.GetRequiredService<ProvenInference>();

        foreach (var policy in Enum.GetValues<ReleasePolicy>())
        {
            using var plain = await engine.InferAsync(Digit(), policy);
            using var options = await engine.InferAsync(Digit(), new ReleaseOptions(policy, Eventually.Limit));
            Assert.Equal((ReleaseStatus.Released, ReleaseStatus.Released), (plain.Release, options.Release));
            Assert.True(plain.Stage >= (ReceiptStage)policy && options.Stage >= (ReceiptStage)policy);
        }

        await chain.StopMining();
        using var late = await engine.InferAsync(Digit(), new ReleaseOptions(ReleasePolicy.Anchored, TimeSpan.FromMilliseconds(1)));
        Assert.Equal(ReleaseStatus.TimedOut, late.Release);
        Assert.InRange(late.Result.Values<long>(late.Result.IndexOf("label"))[0], 0, 9);
        using var impatient = new CancellationTokenSource();
        var open = engine.Host.Settlement!.Snapshot().Open;
        var cancelled = engine.InferAsync(Digit(), ReleasePolicy.Anchored, impatient.Token).AsTask();
        await Eventually.Holds("it is executed and waits", () => Task.FromResult(engine.Host.Settlement.Snapshot().Open == open + 1));
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        var final = late.WaitForFinalityAsync();
        while (!final.IsCompleted)
        {
            await chain.Mine();
            await Task.Delay(20);
        }

        await final;
        Assert.Equal(ReceiptStage.Final, late.Stage);
    }

    private static InferenceRequest Digit() => new InferenceRequest("digits").Add<float>("pixels", [1, 64], new float[64]);
}
