using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Chain;

namespace OpenGradient.Engine.Hosting;

/// <summary>Opens the paying account that a configuration names.</summary>
public static class TransactionSigners
{
    /// <param name="shim">Signs with keys that are held here.</param>
    /// <param name="chain">Names a key file or a signer.</param>
    /// <param name="connect">Makes the client for a signer elsewhere; called for one alone, and the client stays the caller's.</param>
    /// <returns>A <see cref="TransactionKey"/>, to be disposed, or a <see cref="RemoteSigner"/>.</returns>
    /// <exception cref="ConfigurationException">A bare key on a chain that is not for development.</exception>
    /// <exception cref="AttestationException">The key file cannot be used.</exception>
    public static ITransactionSigner Open(AttestationShim shim, ChainConfiguration chain, Func<HttpClient> connect)
    {
        if (chain.RemoteSigner is { } remote)
        {
            var options = new RemoteSignerOptions
            {
                Endpoint = new Uri(remote.Url),
                PublicKey = ChainConfigurationCheck.PublicKey(remote.PublicKey),
                Timeout = TimeSpan.FromMilliseconds(remote.TimeoutMs),
            };
            return new RemoteSigner(connect(), options, new NativeSignatures(shim));
        }

        if (chain.TransactionKeyPasswordFile is { } password) return TransactionKey.FromKeystore(shim, chain.TransactionKeyFile, password);
        return chain.Development
            ? TransactionKey.FromSecretFile(shim, chain.TransactionKeyFile)
            : throw new ConfigurationException(["chain.transactionKeyPasswordFile: a bare key is for development chains; give a Web3 keystore and its password file"]);
    }
}
