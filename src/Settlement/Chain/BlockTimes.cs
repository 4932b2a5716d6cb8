using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>A block as a node shows it.</summary>
/// <param name="Time">The block's own word, to the second.</param>
public sealed record ChainBlock(ulong Number, Hash256 Hash, DateTimeOffset Time);

/// <summary>Blocks with their times, of one chain. Never throws for what the node says. Safe for concurrent calls.</summary>
public sealed class BlockTimes(RpcClient rpc, ulong chainId)
{
    /// <summary>The chain's block with this hash; a value of null where the chain has none: an unknown hash, or one that a reorganisation undid.</summary>
    public async Task<ChainAnswer<ChainBlock?>> ByHashAsync(Hash256 hash, CancellationToken cancellationToken)
    {
        var found = await AskAsync($"\"0x{hash}\",false", "eth_getBlockByHash", cancellationToken).ConfigureAwait(false);
        if (!found.IsOk || found.Value is not { } block) return found;
        if (block.Hash != hash) return new(false, null, false, "eth_getBlockByHash: the node's answer is malformed");
        // A node may still show a block that is on the chain no longer.
        var standing = await ByNumberAsync(block.Number, cancellationToken).ConfigureAwait(false);
        return !standing.IsOk || standing.Value?.Hash == hash ? standing : new(true, null, false, "");
    }

    /// <summary>The chain's block with this number; a value of null where it is not there yet.</summary>
    public Task<ChainAnswer<ChainBlock?>> ByNumberAsync(ulong number, CancellationToken cancellationToken) =>
        AskAsync($"\"{Hex.Quantity(number)}\",false", "eth_getBlockByNumber", cancellationToken);

    /// <summary>The chain's newest block.</summary>
    public Task<ChainAnswer<ChainBlock?>> NewestAsync(CancellationToken cancellationToken) => AskAsync("\"latest\",false", "eth_getBlockByNumber", cancellationToken);

    private async Task<ChainAnswer<ChainBlock?>> AskAsync(string parameters, string method, CancellationToken cancellationToken)
    {
        var replies = await rpc.CallAsync([new("eth_chainId", "[]"), new(method, $"[{parameters}]")], cancellationToken).ConfigureAwait(false);
        foreach (var reply in replies)
            if (!reply.IsOk) return new(false, null, reply.Status == RpcStatus.Error, reply.Message ?? "no message");
        if (!Hex.TryQuantity(replies[0].Text, out ulong served)) return Malformed("eth_chainId");
        if (served != chainId) return new(false, null, false, $"the node is on chain {served}, not on {chainId}");
        var block = replies[1].Result;
        if (block.ValueKind == JsonValueKind.Null) return new(true, null, false, "");
        if (block.ValueKind != JsonValueKind.Object || ChainJson.Number(block, "number") is not { } number || ChainJson.Hash(block, "hash") is not { } hash
            || ChainJson.Number(block, "timestamp") is not { } seconds || seconds > (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return Malformed(method);
        return new(true, new ChainBlock(number, hash, DateTimeOffset.FromUnixTimeSeconds((long)seconds)), false, "");
    }

    private static ChainAnswer<ChainBlock?> Malformed(string method) => new(false, null, false, $"{method}: the node's answer is malformed");
}
