using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

/// <summary>
/// Everything behind the fast path: takes sealed batches, makes them durable, verifies, logs, anchors and follows them
/// to finality. Safe for concurrent calls; <see cref="RunAsync"/> is called once.
/// </summary>
public sealed class SettlementService : ISealedBatchSink, IAdmissionGate, IDisposable
{
    private readonly SettlementOptions _options;
    private readonly SettlementState _state;
    private readonly IOutbox _outbox;
    private readonly IDisposable? _folderLock;
    private readonly ConditionBoard _conditions;
    private readonly Submission _submission;
    private readonly Proofs _proofs;
    private readonly BatchCloser _closer;
    private readonly Settler _settler;
    private readonly SettlementInstruments _instruments;

    private SettlementService(SettlementOptions options, SettlementParts parts)
    {
        _options = options;
        LogId = SignedNote.LogIdOf(parts.NoteSigner.PublicKey);
        LogFolder = Path.Combine(options.DataFolder, "log");
        var tiles = new TileStore(parts.Disk, LogFolder);
        _state = new SettlementState(tiles, options.MaxFinalReceipts, parts.Clock);
        _conditions = new ConditionBoard(parts.Clock);
        var wake = new WakeSignal();
        (_outbox, _folderLock) = OpenOutbox(parts, wake);
        try
        {
            var journal = new JournalWriter(_outbox, _state, _conditions, parts.Clock);
            var log = new LogWriter(_state, _outbox, new LogPublisher(tiles), _conditions);
            var chain = new EvmChain(parts.Rpc, options.Contract);
            var guard = new HeadGuard(_state, _conditions);
            _closer = new BatchCloser(_state, journal, log, parts.CheckpointSigner, parts.NoteSigner, options, LogId);
            var signing = new Signing(_closer, log, new EpochStanding(_state, guard, _conditions, parts.CheckpointSigner));
            var anchoring = parts.OpenOutbox is null ? Anchoring(parts, journal, chain, guard) : null;
            var step = new ChainStep(chain, anchoring, signing, _conditions, options, LogId);
            var space = new SpaceProbe(_outbox, journal, _state, parts.CheckpointSigner.Epoch);
            _settler = new Settler(space, new Intake(_state, _outbox, journal, parts.Verifier), step, wake, options, parts.Clock);
            _submission = new Submission(_state, _outbox, parts.Verifier, wake, LogId);
            _proofs = new Proofs(_state, _outbox);
            log.Recover();
            parts.Predecessors?.Invoke(EpochsThatAnchored());
            AnnounceEpoch(parts.CheckpointSigner.Epoch);
            _state.Locked(view => view.Board.Measuring = true);
            _instruments = new SettlementInstruments(this);
        }
        catch
        {
            _outbox.Dispose();
            _folderLock?.Dispose();
            throw;
        }
    }

    public Hash256 LogId { get; }

    /// <summary>The published log, C2SP tlog-tiles: may be served as static files.</summary>
    public string LogFolder { get; }

    /// <summary>Every epoch that the journal knows: this process's and its predecessors'.</summary>
    public IReadOnlyList<Epoch> Epochs => _state.Locked(view => view.Epochs.Values.ToArray());

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
    public Task RunAsync(CancellationToken cancellationToken) => _settler.RunAsync(cancellationToken);

    /// <summary>One pass over every stage without waiting; never beside <see cref="RunAsync"/>.</summary>
    public Task TickAsync(CancellationToken cancellationToken) => _settler.TickAsync(cancellationToken);

    /// <inheritdoc/>
    public bool TryAccept(SealedBatch batch) => _submission.TryAccept(batch);

    /// <summary>Takes back a receipt whose statement may be unknown here, checks it and makes it durable.</summary>
    public Task<SubmitOutcome> SubmitAsync(Receipt receipt) => _submission.SubmitAsync(receipt);

    /// <summary>Closes the open settlement batch at the next look at the chain, however young it is.</summary>
    public void CloseBatch() => _closer.Ask();

    /// <summary>Where a receipt stands; null when it is unknown here or left memory long after it became final.</summary>
    public ReceiptStatus? Find(ReceiptId id) => _proofs.Find(id);

    public StatementStatus? Find(in Hash256 statementId) => _proofs.Find(statementId);

    /// <summary>The statement's bytes; null when it is unknown or not durable yet.</summary>
    public byte[]? ReadStatement(in Hash256 statementId) => _proofs.ReadStatement(statementId);

    /// <summary>The row leaf hashes this engine holds of a statement, by row: all of a batch it sealed, single ones of receipts that came back.</summary>
    public IReadOnlyList<(uint Row, Hash256 Leaf)> LeavesOf(in Hash256 statementId) => _proofs.LeavesOf(statementId);

    /// <summary>What has grown of the proof so far; null when the receipt is unknown.</summary>
    public ReceiptProof? GetProof(ReceiptId id) => _proofs.Of(id);

    public ReceiptProof? GetProof(in Hash256 statementId) => _proofs.Of(statementId);

    /// <summary>That the first <paramref name="oldSize"/> leaves are a prefix of the first <paramref name="newSize"/>; null when the log is shorter.</summary>
    public Hash256[]? GetConsistencyProof(ulong oldSize, ulong newSize) => _state.Locked(view =>
        oldSize <= newSize && newSize <= view.Tree.Size ? view.Tree.ConsistencyProof(oldSize, newSize) : null);

    /// <summary>Completes when the stage, or a later one, is reached, or when it cannot be.</summary>
    public Task<WaitOutcome> WaitAsync(ReceiptId id, ReceiptStage stage, CancellationToken cancellationToken) =>
        _state.Locked(view => view.Index.Find(id) is { } found ? StageBoard.Wait(found.Entry, stage, cancellationToken) : Task.FromResult(default(WaitOutcome) with { Status = WaitStatus.Unknown }));

    public Task<WaitOutcome> WaitAsync(Hash256 statementId, ReceiptStage stage, CancellationToken cancellationToken) =>
        _state.Locked(view => view.Index.Find(statementId) is { } entry ? StageBoard.Wait(entry, stage, cancellationToken) : Task.FromResult(default(WaitOutcome) with { Status = WaitStatus.Unknown }));

    /// <summary>Stage changes from now on; null when too many read already. Dispose to leave.</summary>
    /// <param name="capacity">Changes that wait for a slow reader before some are dropped.</param>
    public StageSubscription? Subscribe(int capacity) => _state.Locked(view => view.Board.Subscribe(
        capacity, subscription => _state.Locked(inner => inner.Board.Unsubscribe(subscription))));

    public TrustGapSnapshot Snapshot() => _state.Locked(view => view.Board.Snapshot(_state.Now()));

    /// <inheritdoc/>
    public TimeSpan? RetryAfter()
    {
        if (_outbox.Trouble is not null) return _options.MaxBatchAge;
        if (_state.OpenReceipts >= _options.MaxOpenReceipts) return _options.MaxBatchAge;
        return _state.OldestOpen is { } since && _state.Now() is var now && now > since && (now - since) / 100 > (ulong)_options.MaxOpenAge.Ticks
            ? _options.MaxBatchAge
            : null;
    }

    /// <summary>Finishes what the outbox has taken in and releases the data folder. Cancel and await <see cref="RunAsync"/> first.</summary>
    public void Dispose()
    {
        _instruments.Dispose();
        _outbox.Dispose();
        _folderLock?.Dispose();
    }

    // The segment log locks its folder itself; a journal kept elsewhere leaves the published files to be locked.
    private (IOutbox, IDisposable?) OpenOutbox(SettlementParts parts, WakeSignal wake)
    {
        var folder = Path.Combine(_options.DataFolder, "outbox");
        if (parts.OpenOutbox is not { } open) return (SegmentOutbox.Open(parts.Disk, folder, _options.Outbox, _state), null);
        parts.Disk.CreateFolder(folder);
        var folderLock = parts.Disk.TryLock(Path.Combine(folder, SegmentOutbox.LockName)) ?? throw new OutboxLockedException(folder);
        try
        {
            return (open(_state, new OutboxNews(wake.Set, NoteInterruption)), folderLock);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    private void NoteInterruption(string? name)
    {
        if (name is null) _conditions.Clear(ConditionKind.OutboxUnreachable);
        else _conditions.Set(ConditionKind.OutboxUnreachable, name, "check the database; what was acknowledged is safe, and appends go on by themselves");
    }

    private Anchoring Anchoring(SettlementParts parts, JournalWriter journal, EvmChain chain, HeadGuard guard)
    {
        var account = parts.TransactionSigner ?? throw new ArgumentException("a process that anchors needs the paying account", nameof(parts));
        var reconciler = new Reconciler(_state, journal, chain, guard, _conditions, _options, LogId);
        var registrar = new KeyRegistrar(_state, journal, chain, reconciler, _conditions, () => parts.CheckpointSigner.Epoch, account, LogId);
        return new Anchoring(reconciler, registrar, new Sender(_state, journal, chain, _conditions, account, _options, LogId), account);
    }

    private Epoch[] EpochsThatAnchored() => _state.Locked(view =>
    {
        var anchored = new HashSet<Hash256>();
        foreach (var operation in view.Operations)
            if (operation is { Checkpoint: not null, Inclusion: not null }) anchored.Add(operation.Checkpoint.Epoch);
        return view.Epochs.Values.Where(epoch => anchored.Contains(epoch.Id)).ToArray();
    });

    private void AnnounceEpoch(Epoch epoch)
    {
        if (_state.Locked(view => view.Epochs.ContainsKey(epoch.Id))) return;
        var outcome = _outbox.AppendAsync(RecordType.EpochAnnounced, new EpochRecord(_state.Now(), epoch).Encode()).GetAwaiter().GetResult();
        if (!outcome.IsDurable) throw new IOException($"the epoch could not be recorded: {outcome.Detail}");
    }
}
