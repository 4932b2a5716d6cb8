using OpenGradient.Engine.Benchmarks.Http;
using OpenGradient.Engine.Benchmarks.Measuring;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// Inference over HTTP on the same cores as its load generator, against endpoints that do nothing: an empty ASP.NET Core program,
/// with and without a body of the same size, and the health check of the host itself. Every answer of a host carries its receipt.
/// </summary>
internal sealed class HttpPoint : IPoint<BenchContext>
{
    public string Name => "http";

    public async Task RunAsync(BenchContext context)
    {
        if (Wrk.Find() is null) throw new InvalidOperationException("wrk is not installed; './bench.sh engine' installs it");
        var (digits, noop) = (context.Workload("digits"), context.Workload("noop"));
        var (started, reason) = await HostProcess.StartAsync(new HostSettings(context.Options.Og, ["models/digits", noop.Path], Library: context.Options.Library));
        using var host = started ?? throw new InvalidOperationException(reason);
        using var empty = await EmptyHostProcess.StartAsync(context.Options.EmptyHost);
        await using var models = await Served.StartAsync(context, [Served.Options(context, digits, 64), Served.Options(context, noop, 64)], receipts: false);
        using var wrk = new Wrk();
        HttpRequests[] asked = [.. models.Models.Select(model => new HttpRequests(model, host.Port, context.Options.Seed))];
        List<Case> cases =
        [
            new("empty", "empty ASP.NET Core endpoint, GET", empty.Port, [HttpConnection.Request("GET", "/empty", empty.Port, [])]),
            new("live", "the host's health check, GET", host.Port, [HttpConnection.Request("GET", "/v2/health/live", host.Port, [])]),
            new("echo", "ASP.NET Core endpoint that reads the digits' binary body and answers as long", empty.Port, [Echo(asked[0], empty.Port, await AnswerBytesAsync(host, asked[0]))]),
        ];
        foreach (var requests in asked)
        {
            cases.Add(new($"{requests.Model.Name}_binary", $"{requests.Model.Name}, binary tensors, receipt", host.Port, requests.Binary));
            cases.Add(new($"{requests.Model.Name}_json", $"{requests.Model.Name}, JSON, receipt", host.Port, requests.Json));
        }

        foreach (var one in cases) wrk.Write(one.Key, one.Requests);
        await RoundsAsync(context, host, wrk, cases);
        foreach (var requests in asked) await VerifyAsync(context, host, requests);
        Report(context, cases);
        await OpenLoopAsync(context, host, asked[0], cases.Single(one => one.Key == "digits_binary"));
    }

    private static async Task RoundsAsync(BenchContext context, HostProcess host, Wrk wrk, List<Case> cases)
    {
        var quick = context.Options.Quick;
        var running = quick ? cases.Where(one => one.Key is "empty" or "digits_binary" or "digits_json").ToList() : cases;
        // Hosts compile their ways before anything is counted.
        foreach (var one in running) await OwnThread.Run(() => wrk.Run(one.Key, one.Port, EngineOptions.Callers, quick ? 1 : 3));
        await Interleaved.RunAsync(context.Options.Rounds(4, 1), [.. running.Select(one => (Func<Task>)(async () =>
        {
            var cpu = host.Cpu;
            one.Windows.Add(await OwnThread.Run(() => wrk.Run(one.Key, one.Port, EngineOptions.Callers, quick ? 1 : 2)));
            one.HostCpu.Add((host.Cpu - cpu).TotalMicroseconds / one.Windows[^1].Requests);
        }))]);
    }

    /// <summary>wrk reads status lines only; what the answers hold is checked on some thousand that are asked for in the same way.</summary>
    private static async Task VerifyAsync(BenchContext context, HostProcess host, HttpRequests requests)
    {
        using var loop = new HttpLoop(host, EngineOptions.Callers, context.Options.Quick ? 0.1 : 0.3);
        await loop.ConnectAsync();
        var checker = new AnswerChecker(host, context.Keys.Signatures, requests.Digests, requests.Model);
        foreach (var bodies in new[] { requests.Binary, requests.Json })
        {
            await OwnThread.Run(() => loop.Measure(bodies));
            context.Figures.Count(checker.Check(loop.Logs));
        }
    }

    private static void Report(BenchContext context, List<Case> cases)
    {
        double? Against(string key, string baseline) => Interleaved.Ratio(
            cases.Single(one => one.Key == key).Windows.Select(w => w.Rate), cases.Single(one => one.Key == baseline).Windows.Select(w => w.Rate));
        var figures = context.Figures;
        figures.Set("http_ratio", Against("digits_binary", "empty"));
        figures.Set("http_ratio_to_live", Against("digits_binary", "live"));
        figures.Set("http_ratio_to_echo", Against("digits_binary", "echo"));
        figures.Set("http_json_ratio", Against("digits_json", "empty"));
        figures.Set("http_json_ratio_to_live", Against("digits_json", "live"));
        figures.Set("http_noop_ratio", Against("noop_binary", "empty"));
        figures.Set("http_noop_json_ratio", Against("noop_json", "empty"));
        figures.Row("8", "HTTP, digits, binary tensors, of the empty endpoint", Against("digits_binary", "empty"), "", 0.6, atLeast: true,
            FormattableString.Invariant($"{Against("digits_binary", "live"):'of its health check '0.00}{Against("digits_binary", "echo"):', of an endpoint with bodies as long '0.00}"));
        figures.Row("8", "HTTP, digits, JSON and receipts, of the empty endpoint", Against("digits_json", "empty"), "", 0.4, atLeast: true,
            FormattableString.Invariant($"{Against("digits_json", "live"):'of its health check '0.00}"));
        foreach (var one in cases.Where(one => one.Windows.Count > 0))
            figures.Text("HTTP, wrk, 64 connections on the same cores", FormattableString.Invariant(
                $"{one.What}: {Median.Of(one.Windows, w => w.Rate):#,0}/s, p50 {Median.Of(one.Windows, w => w.P50):#,0}, p99 {Median.Of(one.Windows, w => w.P99):#,0} us{(one.IsHost ? FormattableString.Invariant($", host CPU {Median.Of(one.HostCpu):0.0} us per request") : "")}"));
    }

    private static async Task OpenLoopAsync(BenchContext context, HostProcess host, HttpRequests requests, Case closed)
    {
        var most = Median.Of(closed.Windows, w => w.Rate) ?? 0;
        foreach (var part in context.Options.Quick ? [0.25] : new[] { 0.25, 0.5 })
        {
            var arrivals = (int)(part * most * (context.Options.Quick ? 1 : 4));
            using var loop = new HttpOpenLoop(host.Port, EngineOptions.Callers, (4 * arrivals / EngineOptions.Callers) + 64);
            await loop.ConnectAsync();
            var latency = await OwnThread.Run(() => loop.Measure(requests.Binary, part * most, arrivals, context.Options.Seed));
            var checker = new AnswerChecker(host, context.Keys.Signatures, requests.Digests, requests.Model);
            context.Figures.Count(checker.Check(loop.Logs));
            context.Figures.Text("HTTP, open loop, Poisson arrivals, digits with binary tensors", FormattableString.Invariant(
                $"{part * most:#,0}/s ({part:0.00} of what wrk reached): p50 {latency.P50:#,0}, p99 {latency.P99:#,0} us from the intended arrival"));
        }
    }

    private static async Task<int> AnswerBytesAsync(HostProcess host, HttpRequests requests)
    {
        using var connection = new HttpConnection();
        await connection.ConnectAsync(host.Port);
        return (await connection.AskAsync(requests.Binary[0])).Length;
    }

    private static byte[] Echo(HttpRequests requests, int port, int answerBytes) => [.. System.Text.Encoding.ASCII.GetBytes(
        $"POST /echo HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/octet-stream\r\nAnswer-Bytes: {answerBytes}\r\nContent-Length: {requests.BinaryBodyBytes}\r\n\r\n"),
        .. new byte[requests.BinaryBodyBytes]];

    private sealed record Case(string Key, string What, int Port, byte[][] Requests)
    {
        public bool IsHost => Key is not ("empty" or "echo");

        public List<WrkWindow> Windows { get; } = [];

        public List<double> HostCpu { get; } = [];
    }
}
