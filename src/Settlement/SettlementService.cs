using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Backup;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Settlement;

/// <summary>
/// Everything behind the fast path: takes sealed batches, makes them durable, verifies, logs, anchors and follows them
/// to finality. Safe for concurrent calls; <see cref="RunAsync"/> is called once.
/// </summary>
public sealed class SettlementService : ISealedBatchSink, IAdmissionGate, IDisposable
{
    private readonly SettlementOptions _options;
    private readonly TimeProvider _clock;
    private readonly SettlementState _state;
    private readonly SigningEpochs _epochs;
    private readonly IOutbox _outbox;
    private readonly ConditionBoard _conditions;
    private readonly Submission _submission;
    private readonly Proofs _proofs;
    private readonly BatchCloser _closer;
    private readonly Settler _settler;
    private readonly Intake _intake;
    private readonly TrustGapBound _bound;
    private readonly SettlementInstruments _instruments;
    private readonly WitnessRound _witnesses;
    private readonly Archive.Storage _storage;

    private SettlementService(SettlementOptions options, SettlementParts parts)
    {
        (_options, _clock) = (options, parts.Clock);
        LogId = SignedNote.LogIdOf(parts.NoteSigner.PublicKey);
        LogFolder = Path.Combine(options.DataFolder, "log");
        var tiles = new TileStore(parts.Disk, LogFolder);
        _conditions = new ConditionBoard(parts.Clock);
        var wake = new WakeSignal();
        _storage = parts.OpenOutbox is { } open
            ? Archive.Storage.Share(options.DataFolder, options.Objective, parts.Disk, parts.Clock, tiles, state => open(state, new OutboxNews(wake.Set, NoteInterruption)))
            : Archive.Storage.Open(options.DataFolder, options.Outbox, options.Storage, options.Objective, parts.Disk, parts.Clock, tiles, _conditions);
        (_state, _outbox) = (_storage.State, _storage.Outbox);
        (_bound, _epochs) = (new TrustGapBound(_state, options), new SigningEpochs(_state, parts.CheckpointSigner));
        try
        {
            var journal = new JournalWriter(_outbox, _state, _conditions, parts.Clock);
            var log = new LogWriter(_state, _outbox, new LogPublisher(tiles), _conditions);
            var chain = new EvmChain(parts.Rpc, options.Contract);
            var gate = new SequenceGate(parts.Disk, options.DataFolder);
            var heads = new HeadGuard(_state, _conditions, gate);
            var guard = new EpochGuard(_state, journal, _epochs, _conditions, options);
            Audits = new SettlementAudits(_state, journal, new BlockFinder(parts.Rpc, options), _epochs);
            _closer = new BatchCloser(_state, journal, _epochs, parts.NoteSigner, options, LogId);
            var signing = new Signing(_closer, log, new EpochStanding(_state, heads, _conditions, _epochs), _epochs);
            var anchoring = parts.OpenOutbox is null ? Anchoring(parts, journal, chain, heads) : null;
            var step = new ChainStep(chain, anchoring, signing, guard, _conditions, options, LogId);
            var space = new SpaceProbe(_outbox, journal, _state, parts.CheckpointSigner.Epoch);
            _intake = new Intake(_state, _outbox, journal, parts.Verifier, guard, gate);
            _settler = new Settler(space, _intake, step, wake, options, parts.Clock);
            _submission = new Submission(_state, _storage.Recall, _outbox, parts.Verifier, wake, LogId);
            _proofs = new Proofs(_state, _storage.Recall, _outbox, _storage.Entries);
            _witnesses = new WitnessRound(_state, journal, log, _conditions, options, parts, LogId);
            log.Recover();
            parts.Predecessors?.Invoke(EpochsThatAnchored());
            AnnounceAsync(parts.CheckpointSigner.Epoch).GetAwaiter().GetResult();
            _state.Locked(view => view.Board.StartMeasuring());
            _instruments = new SettlementInstruments(this);
        }
        catch
        {
            _storage.Dispose();
            throw;
        }
    }

    public Hash256 LogId { get; }

    /// <summary>For an auditor that executes rows again behind settlement.</summary>
    public SettlementAudits Audits { get; }

    /// <summary>The published log, C2SP tlog-tiles: may be served as static files.</summary>
    public string LogFolder { get; }

    /// <summary>Every epoch that the journal knows: this process's and its predecessors'.</summary>
    public IReadOnlyList<Epoch> Epochs => _state.Locked(view => view.Epochs.Values.ToArray());

    /// <summary>The epoch whose key signs checkpoints. After <see cref="BeginEpochAsync"/> it is the one before until the settler's next look at the chain.</summary>
    public Epoch SigningEpoch => _epochs.Current;

    /// <summary>Leaves in the log, and how many of them the newest included and the newest final anchor cover.</summary>
    public (ulong Size, ulong Anchored, ulong Final) LogSizes => _state.Locked(view =>
    {
        ulong anchored = 0, final = 0;
        for (var i = view.Operations.Count - 1; i >= 0 && final == 0; i--)
        {
            if (view.Operations[i] is not { Checkpoint: { } signed, Inclusion: not null } anchor) continue;
            anchored = Math.Max(anchored, signed.Size);
            if (anchor.IsFinal) final = signed.Size;
        }

        return (view.Tree.Size, anchored, final);
    });

    /// <summary>How much has left memory, and how far a restart reads back.</summary>
    public StorageStatus Storage => _storage.Status;

    /// <summary>What holds settlement up now; empty when nothing does.</summary>
    public IReadOnlyList<Condition> Conditions => _conditions.Now;

    /// <summary>How often each condition began since the process started.</summary>
    public IReadOnlyDictionary<ConditionKind, long> ConditionsRaised => _conditions.Raised;

    /// <summary>Reads the data folder back and stands ready; nothing runs before <see cref="RunAsync"/>.</summary>
    /// <exception cref="OutboxLockedException">Another process holds the data folder.</exception>
    /// <exception cref="OutboxDamagedException">Acknowledged data is missing or changed.</exception>
    /// <exception cref="LogDamagedException">The published log knows more than the outbox.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    public static SettlementService Open(SettlementOptions options, SettlementParts parts)
    {
        options.Validate();
        return new SettlementService(options, parts);
    }

    /// <summary>Settles until cancelled.</summary>
    /// <exception cref="SettlementStoppedException">The outbox has failed; only a restart helps.</exception>
    public Task RunAsync(CancellationToken cancellationToken) => _witnesses.RunBesideAsync(SettleAsync, cancellationToken);

    /// <summary>One pass over every stage without waiting; never beside <see cref="RunAsync"/>.</summary>
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        await _settler.TickAsync(cancellationToken).ConfigureAwait(false);
        await _witnesses.TickAsync(cancellationToken).ConfigureAwait(false);
        _storage.Keeper?.Step();
    }

    /// <summary>
    /// Announces an epoch that takes over from the running one. When it returns the epoch is in the journal: what its key seals may
    /// be handed over. Its key is registered as successor of the active one, once the anchors that are on their way are in a block,
    /// and signs checkpoints after that. Repeating it with the same epoch is harmless, and needed where it failed: it may be recorded all the same.
    /// </summary>
    /// <param name="successor">Must be able to sign until <see cref="SigningEpoch"/> is another's.</param>
    /// <exception cref="IOException">The journal did not take it now.</exception>
    public async Task BeginEpochAsync(ICheckpointSigner successor, CancellationToken cancellationToken)
    {
        await AnnounceAsync(successor.Epoch).WaitAsync(cancellationToken).ConfigureAwait(false);
        _epochs.Begin(successor);
    }

    /// <inheritdoc/>
    public bool TryAccept(SealedBatch batch) => _submission.TryAccept(batch);

    /// <summary>Takes back a receipt whose statement may be unknown here, checks it and makes it durable.</summary>
    public Task<SubmitOutcome> SubmitAsync(Receipt receipt) => _submission.SubmitAsync(receipt);

    /// <summary>Copies the data folder while everything goes on; pruning and snapshots wait for it. What was acknowledged before it began is in the copy.</summary>
    /// <param name="folder">Absent or empty.</param>
    /// <param name="alsoFolders">Other folders of the data folder, by name, that belong to the installation.</param>
    /// <exception cref="IOException">The folder is not empty, or a disk refused.</exception>
    public Task<BackupReport> BackUpAsync(string folder, IReadOnlyList<string> alsoFolders) => _storage.Keeper is { } keeper
        ? Task.Run(() => DataFolderBackup.Write(_options.DataFolder, folder, alsoFolders, _state, keeper, _clock.GetUtcNow()))
        : throw new IOException("the journal is in a database: back that up with the database's own tools, and the folders 'keys' and 'log' as files");

    /// <summary>Closes the open settlement batch at the next look at the chain, however young it is.</summary>
    public void CloseBatch() => _closer.Ask();

    /// <summary>Where a receipt stands; null when it is unknown here.</summary>
    public ReceiptStatus? Find(ReceiptId id) => _proofs.Find(id);

    public StatementStatus? Find(in Hash256 statementId) => _proofs.Find(statementId);

    /// <summary>The statement's bytes; null when it is unknown or not durable yet.</summary>
    public byte[]? ReadStatement(in Hash256 statementId) => _proofs.ReadStatement(statementId);

    /// <summary>The row leaf hashes this engine holds of a statement, by row: all of a batch it sealed, single ones of receipts that came back.</summary>
    public IReadOnlyList<(uint Row, Hash256 Leaf)> LeavesOf(in Hash256 statementId) => _proofs.LeavesOf(statementId);

    /// <summary>What has grown of the proof so far; null when the receipt is unknown.</summary>
    public ReceiptProof? GetProof(ReceiptId id) => _proofs.Of(id);

    public ReceiptProof? GetProof(in Hash256 statementId) => _proofs.Of(statementId);

    /// <summary>The same proof under a later anchor: inclusion in the tree it was first proven in, and that tree's consistency with the anchored one.</summary>
    /// <param name="proof">As <see cref="GetProof(ReceiptId)"/> gave it.</param>
    /// <param name="size">Size of an anchored checkpoint; null for the newest final one.</param>
    /// <returns>Null when no anchor of that size is in a block or it does not cover the statement.</returns>
    public ReceiptProof? GetProofUnder(ReceiptProof proof, ulong? size) => _proofs.Under(proof, size);

    /// <summary>What is known of each witness that the options name.</summary>
    public IReadOnlyList<WitnessStatus> Witnesses => _witnesses.Status;

    /// <summary>That the first <paramref name="oldSize"/> leaves are a prefix of the first <paramref name="newSize"/>; null when the log is shorter.</summary>
    public Hash256[]? GetConsistencyProof(ulong oldSize, ulong newSize) => _state.Locked(view =>
        oldSize <= newSize && newSize <= view.Tree.Size ? view.Tree.ConsistencyProof(oldSize, newSize) : null);

    /// <summary>Completes when the stage, or a later one, is reached, or when it cannot be.</summary>
    public Task<WaitOutcome> WaitAsync(ReceiptId id, ReceiptStage stage, CancellationToken cancellationToken) =>
        _state.Locked(view => view.Index.Find(id) is { } found ? StageBoard.Wait(found.Entry, stage, cancellationToken) : null) ?? WaitForOld(_storage.Recall.Find(id)?.Entry, stage, cancellationToken);

    public Task<WaitOutcome> WaitAsync(Hash256 statementId, ReceiptStage stage, CancellationToken cancellationToken) =>
        _state.Locked(view => view.Index.Find(statementId) is { } entry ? StageBoard.Wait(entry, stage, cancellationToken) : null) ?? WaitForOld(_storage.Recall.Find(statementId), stage, cancellationToken);

    /// <summary>Stage changes from now on; null when too many read already. Dispose to leave.</summary>
    /// <param name="capacity">Changes that wait for a slow reader before some are dropped.</param>
    public StageSubscription? Subscribe(int capacity) => _state.Locked(view => view.Board.Subscribe(
        capacity, subscription => _state.Locked(inner => inner.Board.Unsubscribe(subscription))));

    public TrustGapSnapshot Snapshot() => _state.Locked(view => view.Board.Snapshot(_state.Now()));

    /// <summary>The gap by model; the last entry is for the models that have no figures of their own.</summary>
    public IReadOnlyList<ModelGap> ModelGaps() => _state.Locked(view =>
    {
        var now = _state.Now();
        return view.Board.Models.All.Select(model => model.Snapshot(now)).ToArray();
    });

    /// <summary>The bound of the open gap, and what it does to requests now.</summary>
    public BoundSnapshot Bound() => _bound.Snapshot();

    /// <inheritdoc/>
    public AdmissionAdvice Advise() => _outbox.Trouble is null ? _bound.Advise() : AdmissionAdvice.Refuse(_bound.Advice);

    /// <summary>Null to admit, at once or slowed down; otherwise how long to wait before another try. Not counted.</summary>
    public TimeSpan? RetryAfter() =>
        _outbox.Trouble is not null ? _bound.Advice : _bound.Look() is { Verdict: AdmissionVerdict.Refuse, Wait: var wait } ? wait : null;

    /// <summary>Finishes what the outbox has taken in and releases the data folder. Cancel and await <see cref="RunAsync"/> first.</summary>
    public void Dispose()
    {
        _witnesses.Dispose();
        _instruments.Dispose();
        if (_outbox.Trouble is null && _intake.LastTimes() is { } times) WriteTimes(times);
        _storage.Dispose();
    }

    // What a restart could not find out again; a database that is away at this moment is not waited for.
    private void WriteTimes(byte[] times) => _outbox.AppendAsync(RecordType.Dated, times).Wait(TimeSpan.FromSeconds(2));

    private void NoteInterruption(string? name)
    {
        if (name is null) _conditions.Clear(ConditionKind.OutboxUnreachable);
        else _conditions.Set(ConditionKind.OutboxUnreachable, name, "check the database; what was acknowledged is safe, and appends go on by themselves");
    }

    private Anchoring Anchoring(SettlementParts parts, JournalWriter journal, EvmChain chain, HeadGuard heads)
    {
        var account = parts.TransactionSigner ?? throw new ArgumentException("a process that anchors needs the paying account", nameof(parts));
        var reconciler = new Reconciler(_state, journal, chain, heads, _conditions, _options, LogId);
        var registrar = new KeyRegistrar(_state, journal, chain, reconciler, _conditions, _epochs, account, LogId);
        return new Anchoring(reconciler, registrar, new Sender(_state, journal, chain, _conditions, account, _options, LogId), account);
    }

    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var keeping = _storage.Keeper?.RunAsync(stopping.Token) ?? Task.CompletedTask;
        try
        {
            await _settler.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await keeping.ConfigureAwait(false);
        }
    }

    private Task<WaitOutcome> WaitForOld(StatementEntry? archived, ReceiptStage stage, CancellationToken cancellationToken) => archived is null
        ? Task.FromResult(default(WaitOutcome) with { Status = WaitStatus.Unknown })
        : _state.Locked(_ => StageBoard.Wait(archived, stage, cancellationToken));

    private Epoch[] EpochsThatAnchored() => _state.Locked(view =>
    {
        var anchored = new HashSet<Hash256>(view.Operations.AnchoringEpochs);
        foreach (var operation in view.Operations.InMemory)
            if (operation is { Checkpoint: not null, Inclusion: not null }) anchored.Add(operation.Checkpoint.Epoch);
        return view.Epochs.Values.Where(epoch => anchored.Contains(epoch.Id)).ToArray();
    });

    private async Task AnnounceAsync(Epoch epoch)
    {
        if (_state.Locked(view => view.Epochs.ContainsKey(epoch.Id))) return;
        var outcome = await _outbox.AppendAsync(RecordType.EpochAnnounced, new EpochRecord(_state.Now(), epoch).Encode()).ConfigureAwait(false);
        if (!outcome.IsDurable) throw new IOException($"the epoch could not be recorded: {outcome.Detail}");
    }
}
