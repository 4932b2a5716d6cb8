using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>
/// An engine whose sealed batches go to the real settlement service: made durable and verified behind the answers, on the same
/// cores. There is no chain, so nothing is anchored. Made for one window, so that open receipts do not pile up over the run.
/// </summary>
internal sealed class DurableSettlement : IAsyncDisposable
{
    // A port that nothing listens on: looking at the chain fails at once.
    private static readonly Uri NoChain = new("http://127.0.0.1:9/");

    private const ulong ChainId = 31337;

    private readonly HttpClient _http = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-load-");
    private readonly LogKey _logKey;
    private readonly SoftwareRoot _root;
    private readonly TransactionKey _transactionKey;
    private readonly RunningService _running;

    private DurableSettlement(AttestationShim shim)
    {
        var contract = EvmAddress.Parse("0x00000000000000000000000000000000000000cc");
        _logKey = LogKey.Open(shim, Path.Combine(_folder.FullName, "log.key"));
        _root = SoftwareRoot.Open(shim, Path.Combine(_folder.FullName, "root.key"));
        _transactionKey = TransactionKey.ForDevelopmentChain(shim, new string('1', 64));
        Epoch = EnclaveEpoch.Open(
            shim, new EpochOptions { LogId = _logKey.LogId, ChainId = ChainId, Contract = contract, SoftwareRoot = _root, Attester = EvidenceKind.Software }, TimeProvider.System);
        var signatures = new NativeSignatures(shim);
        var trust = new EvidenceTrust(new HashSet<EvidenceKind> { EvidenceKind.Software }, [_root.PublicKey], new HashSet<Hash256>());
        var epochs = new EpochRegistry(_logKey.LogId, ChainId, contract, new EvidenceVerifier(signatures), trust);
        epochs.Add(Epoch.Epoch.Evidence.Span);
        _running = new RunningService(SettlementService.Open(
            new SettlementOptions { DataFolder = _folder.FullName, ChainId = ChainId, Contract = contract, MaxOpenReceipts = long.MaxValue },
            new SettlementParts
            {
                Rpc = new RpcClient(_http, new RpcOptions { Endpoint = NoChain }),
                Verifier = new StatementVerifier(epochs, signatures),
                CheckpointSigner = Epoch,
                NoteSigner = _logKey,
                TransactionSigner = _transactionKey,
            }));
    }

    public EnclaveEpoch Epoch { get; }

    public EngineUnderTest Engine { get; private set; } = null!;

    public static async Task<DurableSettlement> StartAsync(LoadOptions options, OnnxRuntimeLibrary library, AttestationShim shim)
    {
        var settlement = new DurableSettlement(shim);
        settlement.Engine = await EngineUnderTest.StartAsync(options, library, settlement.Epoch, settlement._running.Service);
        return settlement;
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await _running.DisposeAsync();
        Epoch.Dispose();
        _transactionKey.Dispose();
        _root.Dispose();
        _logKey.Dispose();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }
}
