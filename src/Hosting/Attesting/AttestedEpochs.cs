using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>Opens a host's epochs: over a recent block, vouched for by its attester, accepted by its own policy.</summary>
/// <param name="options">What every epoch of the host binds; attester and nonce are added.</param>
/// <param name="chain">Null without a chain.</param>
/// <param name="rpc">Null without a chain.</param>
internal sealed class AttestedEpochs(
    AttestationShim shim, PlatformAttester attester, AcceptedEpochs accepted, EpochOptions options, ChainConfiguration? chain, RpcClient? rpc, TimeProvider clock)
{
    /// <param name="seen">The newest block; null where none was seen.</param>
    /// <exception cref="AttestationException">The attester is not available.</exception>
    /// <exception cref="ConfigurationException">The host's own policy does not accept the evidence, or a platform's would name no block.</exception>
    public async Task<EnclaveEpoch> OpenAsync(ChainView? seen, CancellationToken cancellation)
    {
        var nonce = await EpochNonce.OfAsync(chain, attester.Kind, rpc, seen, cancellation).ConfigureAwait(false);
        var epoch = EnclaveEpoch.Open(shim, attester.Vouch(options with { Nonce = nonce }), clock);
        try
        {
            var judged = attester.Require(epoch.Epoch, clock.GetUtcNow());
            // Before it signs anything: its evidence is what the next start needs to know it by.
            if (judged.Found.Platform is { } platform) accepted.Remember(epoch.Epoch, judged.At, platform.Policy);
            return epoch;
        }
        catch
        {
            epoch.Dispose();
            throw;
        }
    }
}
