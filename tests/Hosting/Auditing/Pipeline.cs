using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Auditing;
using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Epochs;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Verification;
using OpenGradient.Engine.Verification.Audit;
using OpenGradient.Engine.Verification.Tests.Audit;

namespace OpenGradient.Engine.Hosting.Tests.Auditing;

/// <summary>
/// Everything that a host is composed of, over a real node and a folder that outlives it, except that its backend may lie and
/// that its loops go on only when a test says so.
/// </summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private static readonly AttestationShim Shim = AttestationShim.Load();
    private static readonly ModelBackends Honest = ModelBackends.Of(OnnxRuntimeLibrary.Load(), new TorchConfiguration());

    private readonly Anvil _anvil;
    private readonly string _folder;
    private readonly LogKey _logKey;
    private readonly SoftwareRoot _root;
    private readonly HttpClient _http = new();

    private Pipeline(Anvil anvil, string folder)
    {
        (_anvil, _folder) = (anvil, folder);
        _logKey = LogKey.Open(Shim, Path.Combine(folder, "log.key"));
        _root = SoftwareRoot.Open(Shim, Path.Combine(folder, "root.key"));
    }

    public LyingBackend Backend { get; } = new(Honest) { LieFrom = int.MaxValue };

    public EnclaveEpoch Epoch { get; private set; } = null!;

    public SettlementService Settlement { get; private set; } = null!;

    public IRowRetention Retention { get; private set; } = null!;

    public AuditService Audit { get; private set; } = null!;

    public InferenceEngine Engine { get; private set; } = null!;

    public Hash256 LogId => _logKey.LogId;

    public string Fraud => Path.Combine(_folder, "fraud");

    public static string Model { get; } = Path.Combine(Repository.Root, "models", "digits", "model.onnx");

    /// <summary>What accepts this installation's receipts, and nothing else.</summary>
    public TrustPolicy Trust => new()
    {
        Logs = new HashSet<Hash256> { LogId }, ChainId = Anvil.ChainId, Contract = _anvil.Contract, FinalityDepth = 3,
        Evidence = new EvidenceTrust(new HashSet<EvidenceKind> { EvidenceKind.Software }, [_root.PublicKey], new HashSet<Hash256>()),
    };

    public static BundleVerifier Verifier { get; } = new(new NativeSignatures(Shim), new EvidenceVerifier(new NativeSignatures(Shim)));

    /// <summary>Starts over a folder: a new epoch, as every start has.</summary>
    public static async Task<Pipeline> Start(Anvil anvil, string folder, uint oneIn, string retention = "memory", bool halts = true, string? model = null)
    {
        var pipeline = new Pipeline(anvil, folder);
        await pipeline.Compose(oneIn, retention, halts, model ?? Model);
        return pipeline;
    }

    /// <summary>Answers so many requests, one batch each.</summary>
    public async Task<List<Receipt>> Answer(int requests)
    {
        var receipts = new List<Receipt>();
        for (var i = 0; i < requests; i++)
        {
            using var result = await Engine.InferAsync(Request(i));
            receipts.Add(result.Batch!.Receipt(result.RowIndex));
        }

        return receipts;
    }

    public static InferenceRequest Request(int seed)
    {
        var random = new Random(seed);
        var pixels = new float[64];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = random.Next(17);
        return new InferenceRequest("digits").Add<float>(null, [1, 64], pixels);
    }

    /// <summary>Settles, without auditing, until everything is final.</summary>
    public async Task Settle(IReadOnlyList<Receipt> receipts)
    {
        // The disk has its own pace; the ticks below do not wait for it.
        foreach (var receipt in receipts) await Settlement.WaitAsync(receipt.Id, ReceiptStage.Durable, CancellationToken.None);
        for (var round = 0; round < 80; round++)
        {
            await Settlement.TickAsync(CancellationToken.None);
            if (receipts.All(receipt => Settlement.Find(receipt.Id)?.Statement.Stage == ReceiptStage.Final)) return;
            await _anvil.Mine();
        }

        Assert.Fail($"not final after 80 blocks; {string.Join("; ", Settlement.Conditions.Select(condition => condition.ToString()))}");
    }

    /// <summary>Audits, with as many blocks as it takes, until every final anchor is drawn for and every drawn row is concluded.</summary>
    public async Task AuditAll()
    {
        for (var round = 0; round < 80; round++)
        {
            await Audit.TickAsync(CancellationToken.None);
            if (Settlement.Audits.Undrawn(1).Count == 0 && Settlement.Audits.Due(1).Count == 0) return;
            await _anvil.Mine();
        }

        Assert.Fail("not audited after 80 blocks");
    }

    public AuditOutcome? OutcomeOf(Receipt receipt) => Settlement.Find(receipt.Id)!.Audit?.Outcome;

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        Audit.Dispose();
        Settlement.Dispose();
        Retention.Dispose();
        Epoch.Dispose();
        _root.Dispose();
        _logKey.Dispose();
        _http.Dispose();
    }

    private async Task Compose(uint oneIn, string retention, bool halts, string model)
    {
        var signatures = new NativeSignatures(Shim);
        Epoch = EnclaveEpoch.Open(
            Shim, new EpochOptions { Attester = EvidenceKind.Software, SoftwareRoot = _root, LogId = LogId, ChainId = Anvil.ChainId, Contract = _anvil.Contract }, TimeProvider.System);
        var epochs = new EpochRegistry(LogId, Anvil.ChainId, _anvil.Contract, new EvidenceVerifier(signatures), Trust.Evidence);
        Settlement = SettlementService.Open(
            new SettlementOptions { DataFolder = _folder, ChainId = Anvil.ChainId, Contract = _anvil.Contract, MaxBatchAge = TimeSpan.Zero, FinalityDepth = 3, HaltOnBadStatement = halts },
            new SettlementParts
            {
                Rpc = new RpcClient(_http, new RpcOptions { Endpoint = _anvil.Endpoint, Timeout = TimeSpan.FromSeconds(30) }),
                Verifier = new StatementVerifier(epochs, signatures), CheckpointSigner = Epoch, NoteSigner = _logKey, TransactionSigner = _anvil.Account,
            });
        foreach (var epoch in Settlement.Epochs) epochs.Add(epoch.Evidence.Span);

        var limits = new RetentionLimits(64 << 20, TimeSpan.FromHours(1));
        Retention = retention switch
        {
            "memory" => new MemoryRetention(limits, TimeProvider.System),
            "disk" => new DiskRetention(Path.Combine(_folder, "retained"), Path.Combine(_folder, "retention-keys"), limits, TimeProvider.System),
            _ => NoRetention.Instance,
        };
        Audit = new AuditService(
            new AuditOptions { OneIn = oneIn, HaltOnDispute = halts },
            new AuditParts { Settlement = Settlement, Retention = Retention, Backend = Honest, Model = Served, Fraud = new FraudFolder(Fraud) });
        Engine = new InferenceEngine(new InferenceEngineOptions
        {
            Backend = Backend, Sealer = new KeyEpochs(Epoch, 1, Settlement.Audits, TimeProvider.System), Sink = Settlement, Tap = Retention,
        });
        await Engine.LoadModelAsync(new ModelOptions { Name = "digits", Path = model, Determinism = DeterminismClass.A, RecheckOneIn = 0 });
        Backend.Begin();
        await Audit.TickAsync(CancellationToken.None); // from now on every anchor is drawn for
    }

    private (string Path, long Bytes)? Served(Hash256 identity) =>
        Engine.Models.FirstOrDefault(model => model.Identity == identity) is { } model ? (model.Options.Path, model.LoadedBytes) : null;
}
