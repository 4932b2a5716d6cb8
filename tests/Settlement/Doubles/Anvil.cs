using System.Diagnostics;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>One anvil on a free loopback port with the contract deployed. Blocks are made only when a test asks.</summary>
public sealed class Anvil : IAsyncLifetime
{
    internal const ulong ChainId = 31337;
    private Process? _process;
    private readonly HttpClient _http = new();
    private byte[] _saved = [];

    internal static string? Binary { get; } = Locate();

    /// <summary>Why there is no node; null where there is one.</summary>
    internal static string? Missing => Binary is null ? "no anvil: set OG_ANVIL, or run npm ci --ignore-scripts in the repository's root" : null;

    internal Uri Endpoint { get; private set; } = new("http://127.0.0.1");

    internal RpcClient Rpc { get; private set; } = null!;

    internal EvmAddress Contract { get; private set; }

    internal Secp256k1 Account { get; } = Secp256k1.FromSeed("account");

    public async Task InitializeAsync()
    {
        if (Binary is null) return;
        await StartProcess(0);
        Rpc = new RpcClient(_http, new RpcOptions { Endpoint = Endpoint, Timeout = TimeSpan.FromSeconds(30) });
        await Call("anvil_setBalance", $"[\"{Account.Address}\",\"0x56bc75e2d63100000\"]");
        if (StateFile is not null) await Call("evm_setAutomine", "[true]");
        var artifact = await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "contracts", "SettlementLedger.json"));
        Contract = await ContractDeployer.DeployAsync(Rpc, Account, ContractDeployer.ReadBytecode(artifact), TimeProvider.System, CancellationToken.None);
        await Call("evm_setAutomine", "[false]");
    }

    public Task DisposeAsync()
    {
        _http.Dispose();
        if (_process is { HasExited: false }) _process.Kill();
        _process?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Written every second by a node that was started with it; set before the start.</summary>
    internal string? StateFile { get; set; }

    /// <summary>Returns when the node has written its state after this call, and keeps it.</summary>
    internal async Task SaveState()
    {
        var since = DateTime.UtcNow;
        while (!await TrySave(since)) await Task.Delay(50);
    }

    /// <summary>Kills the node as kill -9 does and starts it again, on the same port, from the state that was saved: what it wrote last may be cut. Its pool is lost.</summary>
    internal async Task KillAndRestart()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        await File.WriteAllBytesAsync(StateFile!, _saved);
        await StartProcess(Endpoint.Port);
        await Call("evm_setAutomine", "[false]");
    }

    private async Task<bool> TrySave(DateTime since)
    {
        if (!File.Exists(StateFile) || File.GetLastWriteTimeUtc(StateFile!) < since) return false;
        try
        {
            _saved = await File.ReadAllBytesAsync(StateFile!);
            JsonDocument.Parse(_saved).Dispose();
            return true;
        }
        catch (Exception cut) when (cut is IOException or JsonException)
        {
            return false; // it is being written
        }
    }

    private async Task StartProcess(int port)
    {
        string[] state = StateFile is null ? [] : ["--state", StateFile, "--state-interval", "1", "--no-mining"];
        // Else the state of each block goes to the home folder, and stays there when the node is killed. Without a block time the number holds.
        _process = Process.Start(new ProcessStartInfo(Binary!, ["--port", $"{port}", "--host", "127.0.0.1", "--chain-id", "31337", "--slots-in-an-epoch", "2", "--prune-history", "256", .. state]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Endpoint = new Uri("http://" + await ListeningAddress(_process));
    }

    internal Task Mine(int blocks = 1) => Call("anvil_mine", $"[\"0x{blocks:x}\"]");

    internal async Task<RpcReply> Call(string method, string parameters)
    {
        var reply = await Rpc.CallAsync(new RpcRequest(method, parameters), CancellationToken.None);
        Assert.True(reply.IsOk, $"{method}: {reply.Message}");
        return reply;
    }

    internal async Task<ulong> BlockNumber() => Convert.ToUInt64((await Call("eth_blockNumber", "[]")).Text, 16);

    /// <summary>The contract's head of a log.</summary>
    internal async Task<Hash256> Head(Hash256 logId)
    {
        var reply = await Call("eth_call", $"[{{\"to\":\"{Contract}\",\"data\":\"0x{Convert.ToHexStringLower(LedgerAbi.Head(logId))}\"}},\"latest\"]");
        var (head, _) = LedgerAbi.DecodeHead(Convert.FromHexString(reply.Text![2..]))!.Value;
        return head.IsZero ? LogHead.Empty : head;
    }

    internal async Task<List<ChainEvent>> Anchors(Hash256 logId, ulong fromBlock = 0) =>
        (await new EvmChain(Rpc, Contract).AnchorsAsync(logId, fromBlock, CancellationToken.None)).Value;

    private static Task<string> ListeningAddress(Process process)
    {
        const string announcement = "Listening on ";
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) address.TrySetException(new InvalidOperationException("anvil ended before it listened"));
            else if (line.Data.StartsWith(announcement, StringComparison.Ordinal)) address.TrySetResult(line.Data[announcement.Length..].Trim());
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return address.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    private static string? Locate()
    {
        if (Environment.GetEnvironmentVariable("OG_ANVIL") is { Length: > 0 } named && File.Exists(named)) return named;
        var packages = Path.Combine(Repository.Root, "node_modules", "@foundry-rs");
        return Directory.Exists(packages) ? Directory.EnumerateFiles(packages, "anvil", SearchOption.AllDirectories).FirstOrDefault() : null;
    }
}
