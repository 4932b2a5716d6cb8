using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>Hashes of blocks that are final by the operator's rule. Never throws for what the node says. Safe for concurrent calls.</summary>
public sealed class BlockFinder(RpcClient rpc, SettlementOptions options)
{
    /// <summary>The block's hash; null when it is not there yet, is not final, or the node does not say.</summary>
    public async Task<Hash256?> FinalHashAsync(ulong number, CancellationToken cancellationToken)
    {
        var replies = await rpc.CallAsync(
        [
            new("eth_chainId", "[]"),
            new("eth_getBlockByNumber", options.UseFinalizedTag ? "[\"finalized\",false]" : "[\"latest\",false]"),
            new("eth_getBlockByNumber", $"[\"{Hex.Quantity(number)}\",false]"),
        ], cancellationToken).ConfigureAwait(false);
        if (replies.Any(reply => !reply.IsOk)) return null;
        if (!Hex.TryQuantity(replies[0].Text, out ulong chainId) || chainId != options.ChainId) return null;
        if (Member(replies[1].Result, ChainJson.Number, "number") is not { } newest) return null;
        if (Member(replies[2].Result, ChainJson.Number, "number") != number) return null;
        // A depth counts the block itself, as it does for an anchor.
        var isFinal = options.UseFinalizedTag ? number <= newest : newest + 1 >= number + options.FinalityDepth;
        return isFinal ? Member(replies[2].Result, ChainJson.Hash, "hash") : null;
    }

    /// <summary>A block's hash as a node shows it now, final or not; null when it does not show it, or serves another chain.</summary>
    public static async Task<Hash256?> HashAsync(RpcClient rpc, ulong chainId, ulong number, CancellationToken cancellationToken)
    {
        var replies = await rpc.CallAsync(
            [new("eth_chainId", "[]"), new("eth_getBlockByNumber", $"[\"{Hex.Quantity(number)}\",false]")], cancellationToken).ConfigureAwait(false);
        return replies.All(reply => reply.IsOk) && Hex.TryQuantity(replies[0].Text, out ulong served) && served == chainId ? Member(replies[1].Result, ChainJson.Hash, "hash") : null;
    }

    private static T? Member<T>(JsonElement block, Func<JsonElement, string, T?> read, string name) where T : struct =>
        block.ValueKind == JsonValueKind.Object ? read(block, name) : null;
}
