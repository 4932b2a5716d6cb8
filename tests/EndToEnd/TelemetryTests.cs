using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Metrics and spans, as a collector receives them.</summary>
public sealed class TelemetryTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Caller = "b7ad6b7169203331";

    [ChainFact]
    public async Task Collector_NamedInTheConfiguration_ReceivesMetricsAndSpansOfTheCallersTrace()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        using var collector = new OtlpReceiver();
        var headers = Path.Combine(installation.Root, "otlp-headers");
        File.WriteAllText(headers, "# the collector's token\nX-Token: a,b=c d\n");
        File.SetUnixFileMode(headers, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var host = await installation.Serve(
            $"telemetry.otlpEndpoint={collector.Url}", "telemetry.intervalMs=200", "telemetry.traceRatio=0", $"telemetry.headersFile={headers}");

        var answer = (await host.Post("v2/models/digits/infer", new ReadOnlyMemoryContent(Inputs.Digit(0)), ("traceparent", $"00-{Trace}-{Caller}-01"), ("OG-Release", "final"))).Expect(200);
        (await host.Infer("digits", Inputs.Digit(1))).Expect(200); // no trace of its own: not sampled
        await Eventually.Holds("metrics have come", () => Task.FromResult(collector.Metrics.ContainsKey("opengradient.settlement.trust_gap") && collector.Metrics.ContainsKey("opengradient.engine.stage.duration")));
        using var look = new HttpRequestMessage(HttpMethod.Get, $"v1/receipts/{answer.ReceiptId}") { Headers = { { "traceparent", $"00-{Trace}-{Caller}-01" } } };
        (await Answer.Of(await host.Http.SendAsync(look))).Expect(200);
        host.Signal(Child.SigTerm);
        (await host.Exit()).Expect(Og.Ok); // sends what is left

        Assert.Equal(["a,b=c d"], collector.Tokens.Keys);
        var documented = await File.ReadAllTextAsync(Repository.At("docs", "operations.md"));
        Assert.All(collector.Metrics.Keys, name => Assert.Contains($"| `{name}`", documented));
        foreach (var name in (string[])["opengradient.engine.requests", "opengradient.engine.rows", "opengradient.engine.batches", "opengradient.engine.batch.size",
            "opengradient.engine.request.duration", "opengradient.engine.requests.waiting", "opengradient.engine.model.health", "opengradient.settlement.receipts"])
            Assert.True(collector.Metrics.ContainsKey(name), name);

        var spans = collector.Spans.ToArray();
        Assert.All(spans, span => Assert.Equal(Trace, span.Trace));
        var infer = Assert.Single(spans, span => span.Name == "infer");
        var server = Assert.Single(spans, span => span.Id == infer.Parent);
        Assert.Equal(Caller, server.Parent);
        Assert.Equal(2, spans.Count(span => span.Parent == Caller));
        Assert.Equal(["execute", "gather", "queue", "scatter", "seal"], spans.Where(span => span.Parent == infer.Id).Select(span => span.Name).Order());
        Assert.Contains("model", infer.Attributes);

        // Who has a receipt's id can ask for it: ids are nobody else's business.
        Assert.DoesNotContain(collector.Everything, sent => sent.Contains(answer.ReceiptId!, StringComparison.Ordinal));
    }

    [ChainFact]
    public async Task Collector_ThatIsAway_HoldsNobodyUp()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve($"telemetry.otlpEndpoint=http://127.0.0.1:{Ports.Free()}", "telemetry.intervalMs=100", "telemetry.traceRatio=1");
        (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        host.Signal(Child.SigTerm);
        (await host.Exit()).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task HeadersFile_ThatOthersMayRead_IsRefusedByName()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var headers = Path.Combine(installation.Root, "otlp-headers");
        File.WriteAllText(headers, "X-Token: secret\n");
        File.SetUnixFileMode(headers, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        await using var host = await ServingHost.Launch(installation.Config, ["telemetry.otlpEndpoint=http://127.0.0.1:4318", $"telemetry.headersFile={headers}"]);
        var refused = (await host.Exit()).Expect(Og.Usage);
        Assert.Contains("otlp-headers", refused.Error);
        Assert.DoesNotContain("X-Token", refused.Error);
    }
}
