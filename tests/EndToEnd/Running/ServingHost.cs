using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A real <c>og serve</c> process and a client of it.</summary>
internal sealed class ServingHost : IAsyncDisposable
{
    private static readonly string[] Order = ["executed", "durable", "verified", "anchored", "final"];

    private readonly Child _child;

    private ServingHost(Child child, string url, string operatorUrl, X509Certificate2? pinned)
    {
        (_child, Url, OperatorUrl) = (child, url, operatorUrl);
        var handler = new SocketsHttpHandler();
        if (pinned is not null) handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == pinned.GetCertHashString();
        // Longer than a wait for a release, which the host ends with words.
        Http = new HttpClient(handler) { BaseAddress = new Uri(url), Timeout = 2 * Eventually.Limit };
    }

    public string Url { get; }

    public string OperatorUrl { get; }

    public HttpClient Http { get; }

    public int ProcessId => _child.Id;

    public string Printed => _child.Output + _child.Error;

    /// <summary>Starts it without waiting; the ports are chosen here.</summary>
    /// <param name="pinned">Serves https under this certificate.</param>
    public static async Task<ServingHost> Launch(
        string config, IReadOnlyList<string> settings, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null, X509Certificate2? pinned = null)
    {
        var scheme = pinned is null ? "http" : "https";
        var (url, operatorUrl) = ($"{scheme}://127.0.0.1:{Ports.Free()}/", $"http://127.0.0.1:{Ports.Free()}/");
        string[] all = [$"http.listen={url}", $"operatorListen={operatorUrl}", .. settings];
        var child = await Child.Start(Repository.Og, ["serve", "--config", config, .. all.SelectMany(setting => new[] { "--set", setting })], environment, folder);
        return new ServingHost(child, url, operatorUrl, pinned);
    }

    public static async Task<ServingHost> Start(
        string config, IReadOnlyList<string> settings, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null, X509Certificate2? pinned = null)
    {
        var host = await Launch(config, settings, environment, folder, pinned);
        try
        {
            await host.UntilReady();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public Task UntilReady() => Eventually.Holds("the host is ready", async () =>
    {
        Assert.False(_child.HasExited, $"the host ended before it was ready:\n{Printed}");
        try
        {
            return (await Get("v2/health/ready")).Code == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    });

    public async Task<Answer> Get(string path) => await Answer.Of(await Http.GetAsync(path));

    public async Task<Answer> Post(string path, HttpContent content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return await Answer.Of(await Http.SendAsync(request));
    }

    /// <param name="timeout">Milliseconds for the release; the limit of all waits by default, since the host's own says that a caller is impatient.</param>
    public Task<Answer> Infer(string model, ReadOnlyMemory<byte> body, string? release = null, long? timeout = null)
    {
        if (release is not null) timeout ??= (long)Eventually.Limit.TotalMilliseconds;
        var content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        var headers = new List<(string, string)>();
        if (release is not null) headers.Add(("OG-Release", release));
        if (timeout is { } milliseconds) headers.Add(("OG-Release-Timeout-Ms", $"{milliseconds}"));
        return Post($"v2/models/{model}/infer", content, [.. headers]);
    }

    public Task<Answer> Infer(string model, string body, string? release = null) => Infer(model, Encoding.UTF8.GetBytes(body), release);

    public Task<Answer> Submit(Receipt receipt) => Post("v1/receipts", new ByteArrayContent(receipt.Encode()));

    public async Task<byte[]> Bundle(Receipt receipt) => (await Post("v1/bundles", new ByteArrayContent(receipt.Encode()))).Expect(200).Body;

    /// <summary>The receipt's stage, or null when the host does not know it.</summary>
    public async Task<string?> StageOf(string id)
    {
        var answer = await Get($"v1/receipts/{id}");
        return answer.Code == 200 ? answer.Json.GetProperty("stage").GetString() : null;
    }

    public Task UntilStage(string id, string stage) => Eventually.Value(
        $"receipt {id} becomes {stage}",
        async () => Array.IndexOf(Order, await StageOf(id)) >= Array.IndexOf(Order, stage) ? id : null,
        () => Printed);

    public async Task<JsonElement> Overview() => (await Get("v1/overview")).Expect(200).Json;

    /// <summary>What holds settlement up, as the overview says it.</summary>
    public async Task<string?> Condition() => (await Overview()).GetProperty("chain").GetProperty("condition").GetString();

    public Task UntilCondition(string condition) => Eventually.Holds($"the condition is {condition}", async () => await Condition() == condition);

    /// <summary>kill -9.</summary>
    public Task Kill() => _child.Kill();

    public void Signal(int signal) => _child.Signal(signal);

    public async Task<OgResult> Exit() => new(await _child.Exit(), _child.Output, _child.Error);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _child.DisposeAsync();
    }
}
