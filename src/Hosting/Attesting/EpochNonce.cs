using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>The block whose hash a beginning epoch's evidence binds: the evidence is not older than that block.</summary>
public static class EpochNonce
{
    /// <summary>A block's hash, or nothing where there is no chain.</summary>
    /// <remarks>
    /// Software evidence names the newest block. A platform's evidence is held against the chain for as long as there are receipts of it, so
    /// it names a block that is final by the operator's rule: a reorganisation would leave it with a block that never was.
    /// </remarks>
    /// <exception cref="ConfigurationException">A platform's evidence would name no block: nobody could ever tell how old it is.</exception>
    public static async Task<byte[]> OfAsync(ChainConfiguration? chain, EvidenceKind kind, RpcClient? rpc, ChainView? newest, CancellationToken cancellation)
    {
        if (chain is null || rpc is null) return [];
        if (kind == EvidenceKind.Software) return newest?.BlockHash.ToArray() ?? [];
        if (newest is not null && await FinalAsync(chain, rpc, newest, cancellation).ConfigureAwait(false) is { } hash) return hash.ToArray();
        throw new ConfigurationException([$"chain.rpc: {chain.Rpc} does not show a final block, and evidence that names none could never be told from old evidence; start when the chain can be reached"]);
    }

    private static async Task<Hash256?> FinalAsync(ChainConfiguration chain, RpcClient rpc, ChainView newest, CancellationToken cancellation)
    {
        if (chain.FinalityDepth is { } depth) return await BlockFinder.HashAsync(rpc, chain.Id, newest.BlockNumber + 1 > depth ? newest.BlockNumber + 1 - depth : 0, cancellation).ConfigureAwait(false);
        var tag = chain.FinalityTag == "safe" ? FinalityTag.Safe : FinalityTag.Finalized;
        var seen = await new EvmChain(rpc, EvmAddress.Parse(chain.Contract)).ObserveAsync(default, default, tag, [], cancellation).ConfigureAwait(false);
        return seen is { IsOk: true, Value.FinalizedNumber: { } number } ? await BlockFinder.HashAsync(rpc, chain.Id, number, cancellation).ConfigureAwait(false) : null;
    }
}
