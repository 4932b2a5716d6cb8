using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>No epoch can be opened now; the message says why and names no secret.</summary>
public sealed class EpochUnavailableException(string message) : Exception(message);

/// <summary>Opens epochs, all alike but for the nonce: a recent block's hash, so that the evidence is not older than that block.</summary>
/// <param name="open">Opens an epoch by the newest block seen; by none where there is no chain.</param>
/// <param name="look">Asks the chain for its newest block; null without a chain.</param>
public sealed class EpochSource(Func<ChainView?, CancellationToken, Task<EnclaveEpoch>> open, Func<CancellationToken, Task<ChainView?>>? look)
{
    /// <summary>The epoch that a process begins with.</summary>
    /// <exception cref="AttestationException">The attester is not available.</exception>
    /// <exception cref="ConfigurationException">The evidence is not accepted here, or would name no block although it has to.</exception>
    public Task<EnclaveEpoch> FirstAsync(ChainView? seen, CancellationToken cancellation) => open(seen, cancellation);

    /// <summary>An epoch to replace the running one. While the chain does not answer there is none: the running one's evidence is no older than the next one's would be.</summary>
    /// <exception cref="AttestationException">The attester is not available.</exception>
    /// <exception cref="EpochUnavailableException">The chain does not answer, or the evidence is not accepted here.</exception>
    public async Task<EnclaveEpoch> NextAsync(CancellationToken cancellation)
    {
        if (look is null) return await Open(null, cancellation).ConfigureAwait(false);
        return await look(cancellation).ConfigureAwait(false) is { } seen
            ? await Open(seen, cancellation).ConfigureAwait(false)
            : throw new EpochUnavailableException("the chain does not answer, and a new epoch's evidence names a recent block");
    }

    // At a start that is the operator's to mend; to a running host it is a rotation that waits.
    private async Task<EnclaveEpoch> Open(ChainView? seen, CancellationToken cancellation)
    {
        try
        {
            return await open(seen, cancellation).ConfigureAwait(false);
        }
        catch (ConfigurationException refused)
        {
            throw new EpochUnavailableException(refused.Message);
        }
    }
}
