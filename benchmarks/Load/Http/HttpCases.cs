using OpenGradient.Engine.Load.Report;

namespace OpenGradient.Engine.Load.Http;

/// <summary>What HTTP adds to the summary; a reason instead of a rate where it was not measured.</summary>
internal sealed record HttpSummary(double? Rate, string? Reason, ReceiptCount Receipts)
{
    public static HttpSummary Skipped(string reason) => new(null, reason, default);
}

/// <summary>The closed loop over HTTP against a host of its own, beside an endpoint of the same host that does nothing.</summary>
internal static class HttpCases
{
    public static async Task<HttpSummary> RunAsync(LoadOptions options, InputSet inputs, SealingKeys keys, ModelInfo model)
    {
        var (host, reason) = await HostProcess.StartAsync(new HostSettings(options.Og, [options.Model], options.Workers, options.Library));
        using var owner = host;
        if (host is null)
        {
            using var skipped = new JsonLine().Add("case", "http_closed");
            skipped.Add("skipped", reason).Print();
            return HttpSummary.Skipped(reason!);
        }

        using var loop = new HttpLoop(host, options.Callers, options.Seconds);
        await loop.ConnectAsync();
        return await OwnThread.Run(() => Measure(options, host, loop, inputs, new AnswerChecker(host, keys.Signatures, inputs.Digests, model), model));
    }

    private static HttpSummary Measure(LoadOptions options, HostProcess host, HttpLoop loop, InputSet inputs, AnswerChecker checker, ModelInfo model)
    {
        byte[][] infer = [.. inputs.Bodies.Select(body => HttpConnection.Request("POST", $"/v2/models/{model.Name}/infer", host.Port, body))];
        byte[][] live = [HttpConnection.Request("GET", "/v2/health/live", host.Port, [])];
        List<HttpWindow> infers = [], lives = [];
        var receipts = default(ReceiptCount);

        // The host compiles its way once before anything is counted.
        for (var i = 0; i < 2; i++) loop.Measure(infer);
        loop.Measure(live);
        for (var round = 0; round < Math.Max(2, options.Rounds / 3); round++)
        {
            lives.Add(loop.Measure(live));
            infers.Add(loop.Measure(infer));
            receipts += checker.Check(loop.Logs);
        }

        var rate = Median.Of(infers, w => w.Rate);
        var liveRate = Median.Of(lives, w => w.Rate);
        var averageBatch = (double)receipts.Verified / Math.Max(1, checker.Statements);
        using var idle = new JsonLine().Add("case", "http_live");
        Window(idle, options, lives).Print();
        using var line = new JsonLine().Add("case", "http_closed");
        Window(line, options, infers).Add("average_batch", averageBatch, 1).Receipts(receipts)
            .Baseline("http_live", liveRate, Median.Of(infers.Zip(lives, (i, l) => i.Rate / l.Rate))).Print();
        return new HttpSummary(rate, null, receipts);
    }

    private static JsonLine Window(JsonLine line, LoadOptions options, List<HttpWindow> windows) => line
        .Add("callers", options.Callers)
        .Add("windows", windows.Count)
        .Add("requests_per_second", Median.Of(windows, w => w.Rate), 0)
        .Add("p50_us", Median.Of(windows, w => w.Latency.P50), 1)
        .Add("p99_us", Median.Of(windows, w => w.Latency.P99), 1)
        .Add("cpu_seconds_per_request", Median.Of(windows, w => w.HostCpuSeconds / Math.Max(1, w.Requests)), 9)
        .Add("generator_cpu_seconds_per_request", Median.Of(windows, w => w.ClientCpuSeconds / Math.Max(1, w.Requests)), 9);
}
