using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Attesting;
using OpenGradient.Engine.Hosting.Auditing;
using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Epochs;
using OpenGradient.Engine.Hosting.LanguageModels;
using OpenGradient.Engine.Hosting.Sharing;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.Backup;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.Workers;
using OpenGradient.Engine.Verification;
using OpenGradient.Engine.Verification.Audit;

namespace OpenGradient.Engine.Hosting;

/// <summary>
/// The whole house in one process: engine, sealer, verifier and settler, composed from a configuration. Started once; safe
/// for concurrent calls; disposal answers everything that was admitted and leaves the outbox synced.
/// </summary>
public sealed class EngineHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<IDisposable> _owned = [];
    private readonly TimeProvider _clock;
    private readonly ServingRoles _roles;
    private Task _settling = Task.CompletedTask;
    private Task _following = Task.CompletedTask;
    private Task _auditing = Task.CompletedTask;
    private Task _rotating = Task.CompletedTask;

    private EngineHost(HostConfiguration configuration, TimeProvider clock)
    {
        Configuration = configuration;
        _clock = clock;
        _roles = OutboxConfiguration.RolesOf(configuration.Roles, []) ?? ServingRoles.All;
        StartedAt = clock.GetUtcNow();
    }

    /// <summary>A served model's row was executed again and gave other bits. Raised on a pool thread; a handler must not throw.</summary>
    public event Action<ModelDemotion>? ModelDemoted;

    public HostConfiguration Configuration { get; }

    public DateTimeOffset StartedAt { get; }

    /// <summary>The clock that everything in the house goes by.</summary>
    public TimeProvider Clock => _clock;

    public InferenceEngine Engine { get; private set; } = null!;

    /// <summary>Which models are served, and which could be.</summary>
    public ModelRepository Repository { get; private set; } = null!;

    /// <summary>The language models that are served.</summary>
    public LanguageModelRepository LanguageModels { get; } = new();

    /// <summary>Everything behind the fast path; null without a chain: receipts are then signed promises only.</summary>
    public SettlementService? Settlement { get; private set; }

    /// <summary>Executes rows again behind their anchors; null without a chain, or with a rate of 0.</summary>
    public AuditService? Audit { get; private set; }

    /// <summary>Anchors for every engine of a shared journal; null where the journal is this process's own, or another process has the role.</summary>
    public JournalWorker? Worker { get; private set; }

    /// <summary>The epoch that signs what begins now.</summary>
    public EnclaveEpoch Epoch => Keys.Current;

    /// <summary>Vouches for this host's epochs, and knows what its own policy says of them.</summary>
    public PlatformAttester Attester { get; private set; } = null!;

    /// <summary>This process's epochs.</summary>
    public KeyEpochs Keys { get; private set; } = null!;

    /// <summary>Replaces the signing key.</summary>
    public EpochRotation Rotation { get; private set; } = null!;

    /// <summary>Signs for everything in the house; refuses once a key was stopped.</summary>
    public IBatchSealer Sealer => Keys;

    public Hash256 LogId { get; private set; }

    /// <summary>The log's public key as witnesses and log tooling pin it (C2SP vkey).</summary>
    public string LogVerifierKey { get; private set; } = "";

    public OnnxRuntimeInfo Runtime { get; private set; } = null!;

    /// <summary>The newest block seen, null before the first.</summary>
    public ChainView? Chain { get; private set; }

    /// <summary>Ends when settlement has stopped for good; its failure says why.</summary>
    public Task Settling => _settling;

    /// <summary>Whether a key of this process was stopped: nothing is answered until a restart.</summary>
    public bool IsHalted => Keys.IsHalted;

    /// <summary>Starts everything and loads every model.</summary>
    /// <exception cref="ConfigurationException">Something the configuration names is not usable.</exception>
    /// <exception cref="ModelLoadException">A model cannot be served.</exception>
    /// <exception cref="IOException">The data folder cannot be used, or another process holds it.</exception>
    public static Task<EngineHost> Start(HostConfiguration configuration, TimeProvider clock, CancellationToken cancellation) => Start(configuration, clock, null, cancellation);

    /// <summary>Starts everything and loads every model.</summary>
    /// <param name="progress">Told of the language models while they are loaded, on the thread that loads; must not throw.</param>
    /// <exception cref="ConfigurationException">Something the configuration names is not usable.</exception>
    /// <exception cref="ModelLoadException">A model cannot be served.</exception>
    /// <exception cref="LanguageModelLoadException">A language model cannot be served; the message names its folder.</exception>
    /// <exception cref="IOException">The data folder cannot be used, or another process holds it.</exception>
    public static async Task<EngineHost> Start(HostConfiguration configuration, TimeProvider clock, IProgress<LanguageModelProgress>? progress, CancellationToken cancellation)
    {
        var host = new EngineHost(configuration, clock);
        try
        {
            await host.Compose(progress, cancellation).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Copies the data folder, keys included, while the host serves. What was acknowledged before it began is in the copy.</summary>
    /// <param name="folder">Absolute; absent or empty.</param>
    /// <exception cref="InvalidOperationException">The host runs without settlement: there is nothing that a copy would keep.</exception>
    /// <exception cref="IOException">The folder is not empty, or a disk refused.</exception>
    public Task<BackupReport> BackUpAsync(string folder) =>
        Settlement?.BackUpAsync(folder, ["keys"]) ?? throw new InvalidOperationException("this host runs without settlement: there is nothing to back up");

    public async ValueTask DisposeAsync()
    {
        // Engine and language models first: what they answer while draining still reaches the outbox.
        await LanguageModels.DisposeAsync().ConfigureAwait(false);
        if (Engine is not null) await Engine.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (var task in new[] { _settling, _following, _auditing, _rotating })
        {
            try
            {
                await task.ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Whatever ended it, the rest must still be released: the outbox synced, keys zeroed.
            catch (Exception)
#pragma warning restore CA1031
            {
                // Stopping was asked for, or the stop was already reported through Settling.
            }
        }

        Settlement?.Dispose();
        for (var i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _stopping.Dispose();
    }

    private async Task Compose(IProgress<LanguageModelProgress>? progress, CancellationToken cancellation)
    {
        var folder = new DataFolder(Configuration.Data).Create();
        var shim = AttestationShim.Load(Configuration.Attestation.Library);
        var library = OnnxRuntimeLibrary.Load(Configuration.OnnxRuntime.Library);
        Runtime = library.Info;
        var logKey = Own(LogKey.Open(shim, folder.LogKey));
        (LogId, LogVerifierKey) = (logKey.LogId, SignedNote.VerifierKey(logKey.PublicKey));
        Attester = Own(PlatformAttester.Open(Configuration.Attestation, shim, folder));

        var chain = Configuration.Chain;
        var contract = chain is null ? default : EvmAddress.Parse(chain.Contract);
        var rpc = chain is null ? null : new RpcClient(Own(new HttpClient()), new RpcOptions { Endpoint = new Uri(chain.Rpc) });
        if (rpc is not null) Chain = await Look(rpc, contract, cancellation).ConfigureAwait(false);
        if (Chain is not null) await RefuseEarlierLedger(rpc!, contract, cancellation).ConfigureAwait(false);

        var accepted = AcceptedEpochs.Open(new EvidenceVerifier(new NativeSignatures(shim)), folder.AcceptedEpochs);
        var epochs = new AttestedEpochs(shim, Attester, accepted, new EpochOptions
        {
            Attester = Attester.Kind,
            LogId = LogId,
            ChainId = chain?.Id ?? 0,
            Contract = contract,
            Libraries = [("libonnxruntime", new Hash256(Runtime.Sha256.Span)), .. KernelsEvidence.Of(Configuration), .. TorchEvidence.Of(Configuration)],
        }, chain, rpc, _clock);
        var source = new EpochSource(epochs.OpenAsync, rpc is null ? null : ending => Look(rpc, contract, ending));
        var first = Own(await source.FirstAsync(Chain, cancellation).ConfigureAwait(false));
        EpochRegistry? known = null;
        if (chain is not null) (Settlement, known) = OpenSettlement(shim, folder, chain, contract, rpc!, logKey, accepted, first);
        Keys = Own(new KeyEpochs(first, Settlement?.Epochs.Count ?? 1, Settlement?.Audits, _clock));
        Keys.UpdateChainView(Chain);
        Rotation = Own(new EpochRotation(Configuration.Attestation.Rotation.ToOptions(), new RotationParts
        {
            Keys = Keys, Source = source, Settlement = Settlement, Clock = _clock, Learn = epoch => known is null ? null : Refusal(known, epoch),
        }));
        var backend = ModelBackends.Of(library, Configuration.Torch);
        Audit = OpenAudit(folder, backend);
        IAdmissionGate? gate = Settlement is null ? null : new SettlingGate(this, Settlement);
        Engine = new InferenceEngine(new InferenceEngineOptions
        {
            Backend = backend,
            Sealer = Sealer,
            Tap = Audit is null or { Retention: NoRetention } ? null : Audit.Retention,
            Sink = Settlement,
            Gate = gate,
            Time = _clock,
            Demoted = demotion => ModelDemoted?.Invoke(demotion),
        });
        Repository = new ModelRepository(Configuration, Engine);
        await Repository.LoadConfiguredAsync(cancellation).ConfigureAwait(false);
        var services = new LanguageModelServices { Sealer = Sealer, Sink = Settlement, Gate = gate, Time = _clock };
        await LanguageModels.LoadConfiguredAsync(Configuration, services, progress, cancellation).ConfigureAwait(false);

        _rotating = Task.Run(() => Rotation.RunAsync(_stopping.Token), CancellationToken.None);
        if (Settlement is null) return;
        _settling = Task.Run(() => Settle(Settlement), CancellationToken.None);
        _following = Task.Run(() => Follow(rpc!, contract), CancellationToken.None);
        if (Audit is not null) _auditing = Task.Run(() => Audit.RunAsync(_stopping.Token), CancellationToken.None);
    }

    private AuditService? OpenAudit(DataFolder folder, ModelBackends backend)
    {
        var audit = Configuration.Audit;
        if (Settlement is null || audit.OneIn == 0) return null;
        return Own(new AuditService(
            new AuditOptions
            {
                OneIn = audit.OneIn,
                HaltOnDispute = audit.OnBadStatement == "stopEpoch",
                ExecutionTimeout = TimeSpan.FromMilliseconds(audit.ExecutionTimeoutMs),
                MaxModelBytes = audit.MaxModelBytes,
            },
            new AuditParts
            {
                Settlement = Settlement,
                Retention = Own(RetentionOf(audit, folder, _clock)),
                Backend = backend,
                Model = identity => Engine.Models.FirstOrDefault(model => model.Identity == identity) is { } served ? (served.Options.Path, served.LoadedBytes) : null,
                Fraud = new FraudFolder(folder.Fraud),
                Clock = _clock,
            }));
    }

    private static IRowRetention RetentionOf(AuditConfiguration audit, DataFolder folder, TimeProvider clock)
    {
        var limits = new RetentionLimits(audit.RetentionBytes, TimeSpan.FromMilliseconds(audit.RetentionWindowMs));
        return audit.EffectiveRetention switch
        {
            "memory" => new MemoryRetention(limits, clock),
            "disk" => new DiskRetention(folder.Retained, folder.RetentionKeys, limits, clock),
            _ => NoRetention.Instance,
        };
    }

    // Whichever ends first ends both: one without the other would promise what nobody keeps.
    private async Task Settle(SettlementService settlement)
    {
        var parts = new List<Task> { settlement.RunAsync(_stopping.Token) };
        if (Worker is not null) parts.Add(Worker.RunAsync(_stopping.Token));
        await (await Task.WhenAny(parts).ConfigureAwait(false)).ConfigureAwait(false);
        await Task.WhenAll(parts).ConfigureAwait(false);
    }

    private (SettlementService Settlement, EpochRegistry Known) OpenSettlement(
        AttestationShim shim, DataFolder folder, ChainConfiguration chain, EvmAddress contract, RpcClient rpc, LogKey logKey, AcceptedEpochs accepted, EnclaveEpoch first)
    {
        var signatures = new NativeSignatures(shim);
        // Whoever shares the journal anchors in a worker, be it one of this process: it serves the other engines' logs too.
        var journal = SharedJournal.Open(Configuration, shim, _clock);
        if (journal is not null) Own(journal);
        var account = _roles.HasFlag(ServingRoles.Settler) ? OpenTransactionSigner(shim, chain) : null;
        if (journal is not null && account is not null) Worker = journal.Settler(rpc, account);
        var epochs = new EpochRegistry(LogId, chain.Id, contract, accepted, Attester.Trust, _clock);
        var settlement = SettlementService.Open(
            SettlementSettings.Of(Configuration) with { Verifies = _roles.HasFlag(ServingRoles.Verifier) },
            new SettlementParts
            {
                Rpc = rpc,
                Verifier = new StatementVerifier(epochs, signatures),
                CheckpointSigner = first,
                NoteSigner = logKey,
                TransactionSigner = account,
                OpenOutbox = journal?.OpenerOf(LogId, folder),
                Clock = _clock,
                Http = Configuration.Log.Witnesses.Count == 0 ? null : Own(new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan }),
                Signatures = signatures,
                Predecessors = earlier => Adopt(epochs, earlier),
            });
        // Its own epoch and the predecessors that the journal knows: their statements are accepted like its own. The newest first,
        // and with room for those that rotations add.
        foreach (var epoch in settlement.Epochs.Reverse().Take(EpochRegistry.MaxEpochs / 2)) epochs.Add(epoch.Evidence.Span);
        return (settlement, epochs);
    }

    private static string? Refusal(EpochRegistry known, Epoch epoch) => known.Add(epoch.Evidence.Span) switch
    {
        null => "as many epochs are known as there may be; a restart makes room",
        { Failures: { Count: > 0 } failures } => string.Join(", ", failures.Select(reason => reason.Text())),
        _ => null,
    };

    // A folder that was anchored by epochs which bind another log, chain or root than this configuration's is refused before
    // anything is written: going on would quarantine what was acknowledged. Epochs that never anchored do not count, so that a
    // first start with a wrong chain can be put right.
    private static void Adopt(EpochRegistry epochs, IReadOnlyList<Epoch> earlier)
    {
        foreach (var epoch in earlier.TakeLast(EpochRegistry.MaxEpochs / 2))
        {
            if (epochs.Add(epoch.Evidence.Span) is not { Failures: { Count: > 0 } failures }) continue;
            throw new ConfigurationException([
                $"data: the folder's epoch {epoch.Id} does not fit this configuration ({string.Join(", ", failures.Select(reason => reason.Text()))}): were chain.id, chain.contract or a file under keys changed?"]);
        }
    }

    /// <summary>Admits while the trust gap may grow, and nothing once settlement has stopped for good.</summary>
    private sealed class SettlingGate(EngineHost host, SettlementService settlement) : IAdmissionGate
    {
        // Only a restart helps; a caller that asks again in a minute may meet the restarted host.
        private static readonly TimeSpan AfterRestart = TimeSpan.FromMinutes(1);

        public TimeSpan? RetryAfter() => host._settling.IsFaulted ? AfterRestart : settlement.RetryAfter();

        public AdmissionAdvice Advise() => host._settling.IsFaulted ? AdmissionAdvice.Refuse(AfterRestart) : settlement.Advise();
    }

    private ITransactionSigner OpenTransactionSigner(AttestationShim shim, ChainConfiguration chain)
    {
        var opened = TransactionSigners.Open(shim, chain, () => Own(new HttpClient()));
        return opened is TransactionKey key ? Own(key) : opened;
    }

    // Statements name the newest block seen; a chain that cannot be reached leaves the last one standing.
    private async Task Follow(RpcClient rpc, EvmAddress contract)
    {
        var pause = TimeSpan.FromMilliseconds(Math.Max(500, Configuration.Settlement.TickMs));
        while (true)
        {
            await Task.Delay(pause, _clock, _stopping.Token).ConfigureAwait(false);
            if (await Look(rpc, contract, _stopping.Token).ConfigureAwait(false) is not { } seen) continue;
            Chain = seen;
            Keys.UpdateChainView(seen);
        }
    }

    private async Task RefuseEarlierLedger(RpcClient rpc, EvmAddress contract, CancellationToken cancellation)
    {
        if (await new EvmChain(rpc, contract).IsLedgerAsync(LogId, cancellation).ConfigureAwait(false) is not { IsOk: true, Value: false }) return;
        throw new ConfigurationException([$"chain.contract: the contract at {contract} is an earlier release's, whose anchors this one cannot read; deploy the present one and begin with a new data folder (og init), and keep the old folder for its receipts"]);
    }

    private async Task<ChainView?> Look(RpcClient rpc, EvmAddress contract, CancellationToken cancellation)
    {
        var seen = await new EvmChain(rpc, contract).ObserveAsync(default, LogId, askFinalized: false, [], cancellation).ConfigureAwait(false);
        return seen.IsOk && seen.Value.ChainId == Configuration.Chain!.Id ? new ChainView(seen.Value.ChainId, seen.Value.BlockNumber, seen.Value.BlockHash) : null;
    }

    private T Own<T>(T part) where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }
}
