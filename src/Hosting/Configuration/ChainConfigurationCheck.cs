using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>Finds what would not work in the group <c>chain</c>.</summary>
internal static class ChainConfigurationCheck
{
    // A figure no chain has seen.
    private const double HighestFeeGwei = 1_000_000;

    // All ether there is, several times over.
    private const decimal HighestSpend = 1_000_000_000m;

    private const double LongestSignerTimeoutMs = 60_000;

    /// <summary>Bytes of a public key in configuration: x ‖ y.</summary>
    private const int PublicKeySize = 64;

    /// <param name="pays">Whether this process anchors and needs the paying account.</param>
    public static void Check(ChainConfiguration chain, bool pays, List<string> errors)
    {
        if (ConfigurationCheck.Address(chain.Rpc) is null) errors.Add($"chain.rpc: '{chain.Rpc}' is not an http or https address");
        if (chain.Id == 0) errors.Add("chain.id: needed, so that a wrong chain is refused");
        if (!EvmAddress.TryParse(chain.Contract, out var contract) || contract.IsZero) errors.Add("chain.contract: the address of a SettlementLedger is needed");
        if (chain.RemoteSigner is { } signer) CheckSigner(chain, signer, errors);
        else if (pays && chain.TransactionKeyFile.Length == 0) errors.Add("chain.transactionKeyFile: a file with the paying account's key is needed (or chain.remoteSigner)");
        if (chain.FinalityDepth == 0) errors.Add("chain.finalityDepth: 1 or more; leave it out for the chain's finalized tag");
        if (chain.FinalityTag is not ("finalized" or "safe")) errors.Add($"chain.finalityTag: '{chain.FinalityTag}' is neither finalized nor safe");
        if (chain is { FinalityTag: "safe", FinalityDepth: not null }) errors.Add("chain.finalityTag: not looked at with chain.finalityDepth; leave one of them out");
        if (chain.PriorityFeeGwei is not (>= 0 and <= HighestFeeGwei)) errors.Add($"chain.priorityFeeGwei: between 0 and {HighestFeeGwei:0}");
        if (chain.MaxFeePerGasGwei is not (> 0 and <= HighestFeeGwei) || chain.MaxFeePerGasGwei < chain.PriorityFeeGwei)
            errors.Add($"chain.maxFeePerGasGwei: between {chain.PriorityFeeGwei} (the tip) and {HighestFeeGwei:0}");
        if (chain.MaxSpendPerDay is not (null or (> 0 and <= HighestSpend))) errors.Add($"chain.maxSpendPerDay: above 0, to {HighestSpend:0}, in ether; null for no limit");
    }

    /// <summary>64 bytes, or null when the text is no public key.</summary>
    public static byte[]? PublicKey(string text)
    {
        if (text.Length != 2 + (2 * PublicKeySize) || !text.StartsWith("0x", StringComparison.Ordinal)) return null;
        var key = new byte[PublicKeySize];
        return Convert.FromHexString(text.AsSpan(2), key, out _, out _) == System.Buffers.OperationStatus.Done ? key : null;
    }

    private static void CheckSigner(ChainConfiguration chain, RemoteSignerConfiguration signer, List<string> errors)
    {
        if (chain.TransactionKeyFile.Length > 0 || chain.TransactionKeyPasswordFile is not null) errors.Add("chain.remoteSigner: the key is there or in chain.transactionKeyFile, not both");
        if (ConfigurationCheck.Address(signer.Url) is not { } address) errors.Add($"chain.remoteSigner.url: '{signer.Url}' is not an http or https address");
        else if (address.Scheme == "http" && !ConfigurationCheck.IsLoopback(address)) errors.Add("chain.remoteSigner.url: outside loopback the signer is asked over https");
        if (PublicKey(signer.PublicKey) is null) errors.Add("chain.remoteSigner.publicKey: 0x and 128 hexadecimal digits, the key's x and y");
        if (signer.TimeoutMs is not (>= 1 and <= LongestSignerTimeoutMs)) errors.Add($"chain.remoteSigner.timeoutMs: between 1 and {LongestSignerTimeoutMs:0}");
    }
}
