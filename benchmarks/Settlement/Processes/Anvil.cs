using System.Globalization;
using System.Text.RegularExpressions;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Benchmarks.Settlement.Processes;

/// <summary>A real EVM node on a loopback port.</summary>
internal sealed partial class Anvil : IAsyncDisposable
{
    public const ulong ChainId = 31337;

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    private readonly ChildProcess _child;
    private readonly HttpClient _http = new();
    private readonly DirectoryInfo _states;

    private Anvil(ChildProcess child, Uri endpoint, DirectoryInfo states)
    {
        (_child, Endpoint, _states) = (child, endpoint, states);
        Rpc = new RpcClient(_http, new RpcOptions { Endpoint = endpoint, Timeout = TimeSpan.FromSeconds(30), MaxResponseBytes = 64 << 20 });
    }

    /// <summary>Its executable; null where there is none.</summary>
    public static string? Binary { get; } = Locate();

    public Uri Endpoint { get; }

    public RpcClient Rpc { get; }

    public ChildProcess Process => _child;

    /// <param name="blockSeconds">Time between two blocks.</param>
    /// <param name="port">0 for any.</param>
    /// <param name="state">File that keeps the chain over restarts; null for none.</param>
    /// <exception cref="InvalidOperationException">There is no anvil, or it ended.</exception>
    public static async Task<Anvil> StartAsync(double blockSeconds, int port = 0, string? state = null)
    {
        var binary = Binary ?? throw new InvalidOperationException("no anvil: set OG_ANVIL, or run npm ci --ignore-scripts in the repository's root");
        // The states of the last blocks: by default thousands go to the home folder, and stay there when the node is killed.
        var states = Directory.CreateTempSubdirectory("og-anvil-");
        string[] kept = state is null ? [] : ["--state", state, "--state-interval", "1"];
        var child = await ChildProcess.StartAsync(binary,
        [
            "--host", "127.0.0.1", "--port", $"{port}", "--chain-id", $"{ChainId}", "--accounts", "1",
            "--cache-path", states.FullName, "--max-persisted-states", "64",
            "--block-time", blockSeconds.ToString(CultureInfo.InvariantCulture), .. kept,
        ]);
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(20))
        {
            if (Listening().Match(child.Said) is { Success: true } match) return new Anvil(child, new Uri($"http://{match.Groups[1].Value}/"), states);
            if (!child.HasExited && TimeProvider.System.GetElapsedTime(start) < StartLimit) continue;
            var said = child.Said;
            await child.DisposeAsync();
            states.Delete(recursive: true);
            throw new InvalidOperationException($"anvil did not start: {said}");
        }
    }

    /// <summary>One call; null when the node refused it or did not answer.</summary>
    public async Task<string?> TryCallAsync(string method, string parameters = "[]")
    {
        var reply = await Rpc.CallAsync(new RpcRequest(method, parameters), CancellationToken.None);
        return reply.IsOk ? reply.Result.GetRawText() : null;
    }

    /// <exception cref="InvalidOperationException">The node refused.</exception>
    public async Task<RpcReply> CallAsync(string method, string parameters = "[]")
    {
        var reply = await Rpc.CallAsync(new RpcRequest(method, parameters), CancellationToken.None);
        return reply.IsOk ? reply : throw new InvalidOperationException($"{method}: {reply.Message}");
    }

    public async Task<ulong> BlockNumberAsync() => Quantity((await CallAsync("eth_blockNumber")).Text);

    /// <summary>A quantity as JSON-RPC writes it, for example 0x1f.</summary>
    public static ulong Quantity(string? text) =>
        text is ['0', 'x', .. var digits] && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidOperationException($"the node wrote '{text}' for a quantity");

    /// <summary>Gives the account coins and deploys the ledger from the compiler's artifact.</summary>
    public async Task<EvmAddress> DeployAsync(ITransactionSigner account)
    {
        await CallAsync("anvil_setBalance", $"[\"{account.Address}\",\"0x3635c9adc5dea00000\"]");
        var artifact = await File.ReadAllBytesAsync(Path.Combine("contracts", "SettlementLedger.json"));
        return await ContractDeployer.DeployAsync(Rpc, account, ContractDeployer.ReadBytecode(artifact), TimeProvider.System, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        _http.Dispose();
        _states.Delete(recursive: true);
    }

    private static string? Locate()
    {
        if (Environment.GetEnvironmentVariable("OG_ANVIL") is { Length: > 0 } named && File.Exists(named)) return named;
        var packages = Path.Combine("node_modules", "@foundry-rs");
        return Directory.Exists(packages) ? Directory.EnumerateFiles(packages, "anvil", SearchOption.AllDirectories).FirstOrDefault() : null;
    }

    [GeneratedRegex(@"Listening on (\S+)")]
    private static partial Regex Listening();
}
