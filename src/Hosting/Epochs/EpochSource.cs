using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>No epoch can be opened now; the message says why and names no secret.</summary>
public sealed class EpochUnavailableException(string message) : Exception(message);

/// <summary>Opens epochs, all alike but for the nonce: a recent block's hash, so that the evidence is not older than that block.</summary>
/// <param name="open">Opens an epoch over a nonce, which is empty where there is no chain.</param>
/// <param name="look">Asks the chain for its newest block; null without a chain.</param>
public sealed class EpochSource(Func<ReadOnlyMemory<byte>, EnclaveEpoch> open, Func<CancellationToken, Task<ChainView?>>? look)
{
    /// <summary>The epoch that a process begins with. A chain that does not answer does not keep a host from starting.</summary>
    /// <exception cref="AttestationException">The attester is not available.</exception>
    public EnclaveEpoch First(ChainView? seen) => open(seen?.BlockHash.ToArray() ?? []);

    /// <summary>An epoch to replace the running one. While the chain does not answer there is none: the running one's evidence is no older than the next one's would be.</summary>
    /// <exception cref="AttestationException">The attester is not available.</exception>
    /// <exception cref="EpochUnavailableException">The chain does not answer.</exception>
    public async Task<EnclaveEpoch> NextAsync(CancellationToken cancellation)
    {
        if (look is null) return open(default);
        return await look(cancellation).ConfigureAwait(false) is { } seen
            ? open(seen.BlockHash.ToArray())
            : throw new EpochUnavailableException("the chain does not answer, and a new epoch's evidence names a recent block");
    }
}
