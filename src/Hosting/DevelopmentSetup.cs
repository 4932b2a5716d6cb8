using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Attesting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting;

/// <summary>
/// Makes a data folder for a development chain: keys, the contract, a configuration and a trust file that says it is for
/// development. Done again it changes nothing, except that a chain which forgot the contract is named as such.
/// </summary>
public sealed class DevelopmentSetup(DataFolder folder, RpcClient rpc, TimeProvider clock, Action<string> say)
{
    // Enough for years of anchors on a chain where coins are free.
    private const string Balance = "0x3635c9adc5dea00000";
    private const ulong FinalityDepth = 3;

    /// <param name="rpcUrl">Written into both files.</param>
    /// <param name="artifact">Path of contracts/SettlementLedger.json.</param>
    /// <param name="models">Folders of the models to serve.</param>
    /// <param name="joined">The contract of other engines on this chain, whose worker anchors for this one as well; null deploys one.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="attester">Who vouches for the epochs; null: what the folder was set up with, software in a new one.</param>
    /// <exception cref="ConfigurationException">The chain, the artifact or an earlier setup is not usable; the message says how to go on.</exception>
    public async Task Run(string rpcUrl, string artifact, IReadOnlyList<string> models, EvmAddress? joined, CancellationToken cancellation, DevelopmentAttester? attester = null)
    {
        var file = Path.Combine(folder.Root, "og.json");
        var earlier = File.Exists(file) ? ConfigurationLoader.Load(file, new Dictionary<string, string>(), []).Attestation : null;
        attester ??= earlier is null ? DevelopmentAttester.Software : DevelopmentAttester.Of(earlier);
        folder.Create();
        var shim = AttestationShim.Load();
        using var logKey = LogKey.Open(shim, folder.LogKey);
        using var root = attester.IsTpm ? null : SoftwareRoot.Open(shim, folder.SoftwareRoot);
        using var transactionKey = OpenTransactionKey(shim);
        var chainId = await ChainId(cancellation).ConfigureAwait(false);
        var contract = ContractOf(file);
        if (contract is null && joined is { } theirs)
        {
            if (!await HasCode(theirs, cancellation).ConfigureAwait(false)) throw new ConfigurationException([$"--contract: the chain has no contract at {theirs}"]);
            contract = theirs;
        }
        else if (contract is not null && joined is { } other && contract != other)
        {
            throw new ConfigurationException([$"--contract: '{folder.Root}' was set up for the contract {contract}"]);
        }
        else if (contract is null)
        {
            await Fund(transactionKey.Address, cancellation).ConfigureAwait(false);
            contract = await Deploy(transactionKey, artifact, cancellation).ConfigureAwait(false);
            say($"deployed SettlementLedger at {contract} on chain {chainId}, registrar {transactionKey.Address}");
        }
        else if (!await HasCode(contract.Value, cancellation).ConfigureAwait(false))
        {
            throw new ConfigurationException([$"the development chain has no contract at {contract}: it lost its state; remove '{folder.Root}' to begin anew"]);
        }

        attester.Prepare(folder.Root, earlier, shim, clock);
        WriteTrust(logKey.LogId, root, chainId, contract.Value, rpcUrl, attester);
        if (!File.Exists(file)) Write(file, JsonSerializer.SerializeToUtf8Bytes(Configuration(chainId, contract.Value, rpcUrl, models, attester), ConfigurationJson.Default.HostConfiguration));
        say($"log {logKey.LogId}, contract {contract}; configuration {file}");
    }

    private async Task<EvmAddress> Deploy(TransactionKey key, string artifact, CancellationToken cancellation)
    {
        try
        {
            return await ContractDeployer.DeployAsync(rpc, key, ContractDeployer.ReadBytecode(File.ReadAllBytes(artifact)), clock, cancellation).ConfigureAwait(false);
        }
        catch (InvalidOperationException refused)
        {
            throw new ConfigurationException([refused.Message]);
        }
    }

    private TransactionKey OpenTransactionKey(AttestationShim shim)
    {
        if (!File.Exists(folder.TransactionKey))
        {
            // Whole, closed to others and synced, or not there: a half-written key would end every later init.
            var key = System.Security.Cryptography.RandomNumberGenerator.GetHexString(64, lowercase: true);
            SecretFile.Create(shim, folder.TransactionKey, System.Text.Encoding.ASCII.GetBytes(key + "\n"));
        }

        return TransactionKey.FromSecretFile(shim, folder.TransactionKey);
    }

    private async Task<ulong> ChainId(CancellationToken cancellation)
    {
        var reply = await rpc.CallAsync(new RpcRequest("eth_chainId", "[]"), cancellation).ConfigureAwait(false);
        return ulong.TryParse(reply.Text.AsSpan(Math.Min(2, reply.Text?.Length ?? 0)), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var id) ? id : throw new ConfigurationException([$"the chain cannot be asked for its id: {reply.Message}"]);
    }

    private async Task Fund(EvmAddress account, CancellationToken cancellation)
    {
        var reply = await rpc.CallAsync(new RpcRequest("anvil_setBalance", $"[\"{account}\",\"{Balance}\"]"), cancellation).ConfigureAwait(false);
        if (!reply.IsOk) throw new ConfigurationException([$"og init --development needs anvil, which gives coins to {account}: {reply.Message}"]);
    }

    private async Task<bool> HasCode(EvmAddress contract, CancellationToken cancellation)
    {
        var reply = await rpc.CallAsync(new RpcRequest("eth_getCode", $"[\"{contract}\",\"latest\"]"), cancellation).ConfigureAwait(false);
        return reply.Text is { Length: > 2 };
    }

    private static EvmAddress? ContractOf(string file)
    {
        if (!File.Exists(file)) return null;
        var configuration = ConfigurationLoader.Load(file, new Dictionary<string, string>(), []);
        return configuration.Chain is { } chain ? EvmAddress.Parse(chain.Contract) : null;
    }

    private HostConfiguration Configuration(ulong chainId, EvmAddress contract, string rpcUrl, IReadOnlyList<string> models, DevelopmentAttester attester) => new()
    {
        Data = ".",
        Attestation = attester.Configuration,
        Models = [.. models.Where(model => !ModelFolder.IsLanguageModel(model)).Select(model => new ModelConfiguration { Path = Path.GetFullPath(model) })],
        LanguageModels = [.. models.Where(ModelFolder.IsLanguageModel).Select(model => new LanguageModelConfiguration { Path = Path.GetFullPath(model) })],
        Chain = new ChainConfiguration
        {
            Rpc = rpcUrl,
            Id = chainId,
            Contract = contract.ToString(),
            TransactionKeyFile = Path.GetRelativePath(folder.Root, folder.TransactionKey),
            FinalityDepth = FinalityDepth,
            Development = true,
        },
    };

    private void WriteTrust(Hash256 logId, SoftwareRoot? root, ulong chainId, EvmAddress contract, string rpcUrl, DevelopmentAttester attester)
    {
        var trust = new TrustFile
        {
            Version = 1,
            Comment = attester.Comment,
            Logs = [logId.ToString()],
            Chain = new TrustedChain { Id = chainId, Contract = contract.ToString(), Rpc = rpcUrl, FinalityDepth = FinalityDepth },
            Evidence = attester.Trusted(root),
        };
        Write(Path.Combine(folder.Root, "trust.json"), trust.Encode());
    }

    // Written beside and renamed over: a crash leaves the old file or the new one.
    private static void Write(string file, byte[] content)
    {
        File.WriteAllBytes(file + ".tmp", content);
        File.Move(file + ".tmp", file, overwrite: true);
    }
}
