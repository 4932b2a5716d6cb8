using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting;

/// <summary>The key of the account that pays for anchors, from the file that the configuration names.</summary>
internal static class PayingAccount
{
    /// <exception cref="ConfigurationException">A bare key outside a development chain.</exception>
    public static TransactionKey Open(AttestationShim shim, ChainConfiguration chain)
    {
        if (chain.TransactionKeyPasswordFile is { } password) return TransactionKey.FromKeystore(shim, chain.TransactionKeyFile, password);
        return chain.Development
            ? TransactionKey.FromSecretFile(shim, chain.TransactionKeyFile)
            : throw new ConfigurationException(["chain.transactionKeyPasswordFile: a bare key is for development chains; give a Web3 keystore and its password file"]);
    }
}
