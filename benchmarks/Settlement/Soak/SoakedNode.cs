using System.Text.Json;
using OpenGradient.Engine.Benchmarks.Settlement.Processes;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>A real node that is killed and started again over the state it had saved, on one port.</summary>
internal sealed class SoakedNode : IAsyncDisposable
{
    private const double BlockSeconds = 1;

    private readonly int _port;
    private readonly string _state;
    private ulong _startedAt;

    private SoakedNode(int port, string state) => (_port, _state) = (port, state);

    public Anvil Anvil { get; private set; } = null!;

    public static async Task<SoakedNode> StartAsync(string folder)
    {
        var node = new SoakedNode(LoopbackPort.Free(), Path.Combine(folder, "chain.json"));
        node.Anvil = await Anvil.StartAsync(BlockSeconds, node._port, node._state);
        return node;
    }

    /// <summary>Blocks that a reorganisation can undo: the node has no older states.</summary>
    public async Task<int> ReachableDepthAsync() => (int)Math.Min(int.MaxValue, await Anvil.BlockNumberAsync() - Math.Max(1, _startedAt));

    /// <summary>From here on no reorganisation goes deeper: what set the chain up is below.</summary>
    public async Task SetFloorAsync()
    {
        _startedAt = await Anvil.BlockNumberAsync();
        // The first state that holds it has to be on disk before the node may be killed.
        await WholeStateAsync();
    }

    /// <summary>kill -9 and back; how many blocks that cost.</summary>
    public async Task<long> KillAndRestartAsync(TimeSpan away)
    {
        var good = await WholeStateAsync();
        var before = await Anvil.BlockNumberAsync();
        await Anvil.DisposeAsync();
        await Task.Delay(away);
        // Killed in the middle of writing it: the one before.
        if (!IsWhole(_state)) File.Copy(good, _state, overwrite: true);
        Anvil = await Anvil.StartAsync(BlockSeconds, _port, _state);
        var after = await Anvil.BlockNumberAsync();
        _startedAt = Math.Max(_startedAt, after);
        return (long)before - (long)after;
    }

    public async Task<int> PendingAsync()
    {
        var status = await Anvil.TryCallAsync("txpool_status");
        if (status is null) return 0;
        using var parsed = JsonDocument.Parse(status);
        return (int)Anvil.Quantity(parsed.RootElement.GetProperty("pending").GetString());
    }

    /// <summary>Waits until a transaction is in the mempool; false when none came.</summary>
    public async Task<bool> UntilPendingAsync(TimeSpan limit)
    {
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < limit; await Task.Delay(10))
            if (await PendingAsync() > 0) return true;
        return false;
    }

    /// <summary>The contract's events of any kind in the newest blocks.</summary>
    public async Task<int> EventsInNewestAsync(EvmAddress contract, int blocks)
    {
        var from = await Anvil.BlockNumberAsync() - (ulong)blocks + 1;
        var logs = await Anvil.TryCallAsync("eth_getLogs", $"[{{\"address\":\"{contract}\",\"fromBlock\":\"0x{from:x}\",\"toBlock\":\"latest\"}}]");
        if (logs is null) return 0;
        using var parsed = JsonDocument.Parse(logs);
        return parsed.RootElement.GetArrayLength();
    }

    /// <summary>Every anchor of the log that the chain now has, oldest first, and the contract's head.</summary>
    public async Task<(List<AnchorEvent> Anchors, Hash256 Head)> HistoryAsync(EvmAddress contract, Hash256 log)
    {
        var chain = new EvmChain(Anvil.Rpc, contract);
        var events = await chain.AnchorsAsync(log, 0, CancellationToken.None);
        var seen = await chain.ObserveAsync(default, log, null, [], CancellationToken.None);
        if (!events.IsOk || !seen.IsOk || seen.Value.Head is not { } head) throw new InvalidOperationException($"the chain's history cannot be read: {events.Detail}{seen.Detail}");
        return ([.. events.Value.Select(item => item.Anchored(log)!.Value).Select(anchored => new AnchorEvent(anchored.Size, anchored.Root, null))], head.Head);
    }

    public ValueTask DisposeAsync() => Anvil.DisposeAsync();

    // A copy of the newest state that is whole.
    private async Task<string> WholeStateAsync()
    {
        var copy = _state + ".good";
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60); await Task.Delay(100))
        {
            if (!File.Exists(_state)) continue;
            File.Copy(_state, copy, overwrite: true);
            if (IsWhole(copy)) return copy;
        }

        throw new InvalidOperationException("the node saved no state within 60 s");
    }

    private static bool IsWhole(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            using var state = JsonDocument.Parse(stream);
            return state.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (Exception torn) when (torn is JsonException or IOException)
        {
            return false;
        }
    }
}
