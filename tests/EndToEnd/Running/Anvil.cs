using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A real EVM node on a loopback port of its own.</summary>
internal sealed partial class Anvil : IAsyncDisposable
{
    // Four blocks a second: finality comes soon, and stages stay apart.
    private const string BlockTime = "0.25";

    private static readonly Lazy<Task<Anvil>> SharedNode = new(async () =>
    {
        var node = await Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => node.DisposeAsync().AsTask().Wait();
        return node;
    });

    private readonly HttpClient _http = new();
    private readonly Child _child;
    private readonly TemporaryFolder _states;

    private Anvil(Child child, string url, TemporaryFolder states)
    {
        (_child, Url, _states) = (child, url, states);
        Rpc = new RpcClient(_http, new RpcOptions { Endpoint = new Uri(url), Timeout = Eventually.Limit });
    }

    /// <summary>One for all tests that leave its clockwork alone; every installation has a contract of its own on it.</summary>
    public static Task<Anvil> Shared => SharedNode.Value;

    public static string? Binary { get; } = Locate();

    public string Url { get; }

    public RpcClient Rpc { get; }

    /// <param name="port">0 for any: one that no outgoing connection takes, should the node be started there again.</param>
    /// <param name="state">File that keeps the chain over restarts.</param>
    public static async Task<Anvil> Start(int port = 0, string? state = null, ulong chainId = 31337)
    {
        string[] kept = state is null ? [] : ["--state", state, "--state-interval", "1"];
        if (port == 0) port = Ports.Free();
        // The states of the last blocks: by default thousands go to the home folder, and stay there when the node is killed.
        var states = new TemporaryFolder();
        var child = await Child.Start(Binary!, ["--host", "127.0.0.1", "--port", $"{port}", "--chain-id", $"{chainId}", "--block-time", BlockTime, "--accounts", "1", "--cache-path", states.Root, "--max-persisted-states", "64", .. kept]);
        var address = await Eventually.Value("anvil listens", () =>
        {
            var ended = child.HasExited; // asked first: what it printed before is seen
            var match = Listening().Match(child.Output);
            Assert.True(match.Success || !ended, child.Output + child.Error);
            return Task.FromResult(match.Success ? match.Groups[1].Value : null);
        }, () => child.Error);
        return new Anvil(child, $"http://{address}/", states);
    }

    public async Task<JsonElement> Call(string method, string parameters = "[]")
    {
        using var content = new StringContent($"{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{parameters}}}", Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(Url, content);
        using var reply = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        Assert.True(reply.RootElement.TryGetProperty("result", out var result), $"{method}: {reply.RootElement}");
        return result.Clone();
    }

    public Task StopMining() => Call("evm_setIntervalMining", "[0]");

    public Task Mine(int blocks = 1) => Call("anvil_mine", $"[\"0x{blocks:x}\"]");

    public async Task<int> Pending() => Convert.ToInt32((await Call("txpool_status")).GetProperty("pending").GetString(), 16);

    /// <summary>Ends it in an orderly way, so that its state is written.</summary>
    public async Task Stop()
    {
        _child.Signal(Child.SigTerm);
        await _child.Exit();
    }

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        _http.Dispose();
        _states.Dispose();
    }

    private static string? Locate()
    {
        if (Environment.GetEnvironmentVariable("OG_ANVIL") is { Length: > 0 } named && File.Exists(named)) return named;
        var packages = Repository.At("node_modules", "@foundry-rs");
        return Directory.Exists(packages) ? Directory.EnumerateFiles(packages, "anvil", SearchOption.AllDirectories).FirstOrDefault() : null;
    }

    [GeneratedRegex(@"Listening on (\S+)")]
    private static partial Regex Listening();
}

/// <summary>A test that needs the real node; visibly skipped where there is none.</summary>
public sealed class ChainFactAttribute : FactAttribute
{
    public ChainFactAttribute() => Skip = Reason;

    internal static string? Reason { get; } = Anvil.Binary is null ? "no anvil: set OG_ANVIL, or run npm ci --ignore-scripts in the repository's root" : null;
}

public sealed class ChainTheoryAttribute : TheoryAttribute
{
    public ChainTheoryAttribute() => Skip = ChainFactAttribute.Reason;
}
