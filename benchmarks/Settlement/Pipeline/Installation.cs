using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.Benchmarks.Settlement.Pipeline;

/// <summary>Keys, one epoch and the verifier that knows it: what a settlement service is composed of, with real sealing and real checks.</summary>
internal sealed class Installation : IDisposable
{
    private readonly HttpClient _http = new();
    private readonly LogKey _logKey;
    private readonly SoftwareRoot _root;
    private readonly RpcClient _rpc;
    private readonly StatementVerifier _verifier;

    /// <param name="shim">The attestation shim.</param>
    /// <param name="folder">Where the keys are made.</param>
    /// <param name="node">The node; a port that nothing listens on is a chain that never answers.</param>
    /// <param name="chainId">Of the node.</param>
    /// <param name="contract">The ledger there.</param>
    public Installation(AttestationShim shim, string folder, Uri node, ulong chainId, EvmAddress contract)
    {
        (ChainId, Contract) = (chainId, contract);
        _logKey = LogKey.Open(shim, Path.Combine(folder, "log.key"));
        _root = SoftwareRoot.Open(shim, Path.Combine(folder, "root.key"));
        Account = DevelopmentAccount(shim);
        Epoch = EnclaveEpoch.Open(
            shim, new EpochOptions { LogId = _logKey.LogId, ChainId = chainId, Contract = contract, SoftwareRoot = _root, Attester = EvidenceKind.Software }, TimeProvider.System);
        Signatures = new NativeSignatures(shim);
        var trust = new EvidenceTrust(new HashSet<EvidenceKind> { EvidenceKind.Software }, [_root.PublicKey], new HashSet<Hash256>());
        var epochs = new EpochRegistry(_logKey.LogId, chainId, contract, new EvidenceVerifier(Signatures), trust);
        epochs.Add(Epoch.Epoch.Evidence.Span);
        _verifier = new StatementVerifier(epochs, Signatures);
        _rpc = new RpcClient(_http, new RpcOptions { Endpoint = node });
    }

    /// <summary>A port that nothing listens on: looking at the chain fails at once.</summary>
    public static Uri NoNode { get; } = new("http://127.0.0.1:9/");

    public ulong ChainId { get; }

    public EvmAddress Contract { get; }

    public TransactionKey Account { get; }

    public EnclaveEpoch Epoch { get; }

    public NativeSignatures Signatures { get; }

    public Hash256 LogId => _logKey.LogId;

    /// <summary>The account that every node of a benchmark is asked to fund.</summary>
    public static TransactionKey DevelopmentAccount(AttestationShim shim) => TransactionKey.ForDevelopmentChain(shim, new string('1', 64));

    /// <summary>Opens the service over a folder with the options that a host has by default.</summary>
    public SettlementService Open(string dataFolder) => SettlementService.Open(
        new SettlementOptions { DataFolder = dataFolder, ChainId = ChainId, Contract = Contract, MaxOpenReceipts = long.MaxValue },
        new SettlementParts { Rpc = _rpc, Verifier = _verifier, CheckpointSigner = Epoch, NoteSigner = _logKey, TransactionSigner = Account });

    public void Dispose()
    {
        Epoch.Dispose();
        Account.Dispose();
        _root.Dispose();
        _logKey.Dispose();
        _http.Dispose();
    }
}
