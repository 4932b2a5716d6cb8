using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>Checks against a node that the block which decided a draw is the one that the chain has there.</summary>
public static class BeaconChecker
{
    /// <summary>Why the block is not the chain's; empty when it is.</summary>
    /// <param name="rpc">Instead of the trust file's node.</param>
    /// <exception cref="FormatException">No node is named.</exception>
    public static async Task<IReadOnlyList<VerificationFailure>> Check(FraudBundle bundle, TrustFile trust, Uri? rpc, CancellationToken cancellation)
    {
        var endpoint = rpc ?? (trust.Chain.Rpc is { } url ? new Uri(url) : throw new FormatException("the trust file names no chain.rpc: give --rpc"));
        using var http = new HttpClient();
        var seen = await BlockFinder.HashAsync(new RpcClient(http, RpcOptions.AskedOnce(endpoint)), trust.Chain.Id, bundle.Beacon.BlockNumber, cancellation).ConfigureAwait(false);
        if (seen is null) return [new VerificationFailure(VerificationReason.ChainUnreachable, $"the node does not show block {bundle.Beacon.BlockNumber} of chain {trust.Chain.Id}")];
        return seen == bundle.Beacon.BlockHash
            ? []
            : [new VerificationFailure(VerificationReason.AnchorNotCanonical, $"block {bundle.Beacon.BlockNumber} is 0x{seen} on the chain, not the one that is said to have decided the draw")];
    }
}
