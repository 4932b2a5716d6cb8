using System.Collections.Concurrent;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Everything known, rebuilt from the journal: records change it and nothing else does, on recovery and live alike. One
/// lock guards it. It is held across no I/O but the reading of old tiles for a proof, which a cache keeps rare.
/// </summary>
internal sealed partial class SettlementState : IRecordSink
{
    // Stay findable. 100,000: some 20 MB, and a day's audits of a busy host at one row in 1,000.
    private const int ConcludedAudits = 100_000;

    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly StatementArchive _archive;
    private readonly StatementIndex _index;
    private readonly OperationLog _operations;
    private readonly StageBoard _board;
    private readonly CarriedRecords _carried = new();
    private readonly Queue<StatementEntry> _unverified = new();
    private readonly Queue<StatementEntry> _unsequenced = new();
    private readonly Dictionary<Hash256, Epoch> _epochs = [];
    private Epoch? _newestEpoch;
    private readonly Dictionary<Hash256, ChainOperation> _anchors = [];
    private readonly SortedDictionary<ulong, ChainOperation> _live = [];
    private readonly AuditBook _audits;
    private readonly Spending _spending = new();
    private readonly List<StatementEntry> _quarantined = [];

    // Batches that the outbox has taken in and nobody has indexed yet. Whoever takes the lock next indexes them first, so
    // a caller finds what it handed over. The outbox's queue bounds it: the writer passes here after every group.
    private readonly ConcurrentQueue<ArrivingBatch> _arrivals = new();
    private long _arriving; // receipts in it

    private TileTree _tree; // replaced by a snapshot's, before anything else happens
    private RecordPosition _applied;

    public SettlementState(TileStore tiles, StatementArchive archive, TrustGapObjective objective, TimeProvider clock)
    {
        (_archive, _clock, _tree, _operations) = (archive, clock, new TileTree(tiles), new OperationLog(archive));
        (_board, _audits) = (new StageBoard(objective), new AuditBook(ConcludedAudits));
        _index = new StatementIndex(archive, _operations);
    }

    public ulong Now() => (ulong)(_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>Runs a short piece of work under the lock.</summary>
    public T Locked<T>(Func<View, T> work)
    {
        lock (_gate)
        {
            Admit();
            return work(new View(this));
        }
    }

    public void Locked(Action<View> work)
    {
        lock (_gate)
        {
            Admit();
            work(new View(this));
        }
    }

    /// <summary>Receipts that are neither final nor quarantined. Takes no lock.</summary>
    public long OpenReceipts => _board.OpenReceipts + Interlocked.Read(ref _arriving);

    /// <summary>Epochs whose keys sign nothing more. Takes no lock.</summary>
    public IReadOnlyDictionary<Hash256, EpochHalt> Halts => _audits.Halts;

    /// <summary>Since when the oldest open statement is here. Takes no lock.</summary>
    public ulong? OldestOpen => _board.OldestOpen;

    /// <summary>The outbox has taken this batch in: from now on it is found. Costs the caller next to nothing.</summary>
    public void Arrive(ArrivingBatch arrival)
    {
        Interlocked.Add(ref _arriving, arrival.Batch.Count);
        _arrivals.Enqueue(arrival);
    }

    /// <summary>This batch is on stable storage.</summary>
    public void Settle(ArrivingBatch arrival, RecordPosition position)
    {
        lock (_gate)
        {
            Admit();
            arrival.IsOver = true;
            var known = arrival.Entry;
            // Not admitted yet, or forgotten with an equal one that could not be stored.
            if (known is null || _index.Find(known.Id) != known || known.DurableAt != 0) known = Enter(arrival, arrival.Batch.StatementId);
            MarkDurable(known, position, Now());
            _applied = position;
        }
    }

    /// <summary>This batch will never be stored.</summary>
    public void Forget(ArrivingBatch arrival)
    {
        lock (_gate)
        {
            Admit();
            arrival.IsOver = true;
            if (arrival.Entry is { } entry) Forget(entry);
        }
    }

    /// <summary>What never became durable leaves; waiters are told.</summary>
    public void Forget(StatementEntry entry)
    {
        lock (_gate)
        {
            if (entry.DurableAt != 0 || _index.Find(entry.Id) != entry) return;
            _board.Leave(entry);
            _index.Remove(entry);
        }
    }

    /// <summary>Whether a record that names its place, an operation's number or a leaf's, still finds it free. Every other record fits any state.</summary>
    public bool Fits(byte type, ReadOnlySpan<byte> payload)
    {
        if (type is not (RecordType.OperationOpened or RecordType.Sequenced)) return true;
        var place = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(payload[8..]);
        lock (_gate) return place == (type == RecordType.Sequenced ? _tree.Size : (ulong)_operations.Count);
    }

    public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            _carried.Keep(position, type, payload);
            switch (type)
            {
                case RecordType.Statement: Apply(position, StatementRecord.Decode(payload)); break;
                case RecordType.Batch: Apply(position, BatchRecord.Decode(payload)); break;
                case RecordType.Dated: Apply(DatedRecord.Decode(payload)); break;
                case RecordType.Verified: Apply(VerifiedRecord.Decode(payload)); break;
                case RecordType.Quarantined: Apply(QuarantinedRecord.Decode(payload)); break;
                case RecordType.Sequenced: Apply(SequencedRecord.Decode(payload)); break;
                case RecordType.EpochAnnounced: Apply(EpochRecord.Decode(payload)); break;
                case RecordType.OperationOpened: Apply(OpenedRecord.Decode(payload)); break;
                case RecordType.Attempted: Apply(AttemptRecord.Decode(payload)); break;
                case RecordType.Included: Apply(IncludedRecord.Decode(payload)); break;
                case RecordType.Finalized: Finalize(OperationEndRecord.Decode(payload)); break;
                case RecordType.Reopened: Reopen(OperationEndRecord.Decode(payload)); break;
                case RecordType.Spent: _spending.Apply(SpentRecord.Decode(payload)); break;
                case RecordType.Abandoned: Abandon(OperationEndRecord.Decode(payload)); break;
                case RecordType.Audited: Apply(AuditedRecord.Decode(payload)); break;
                case RecordType.EpochHalted: _audits.Apply(HaltedRecord.Decode(payload)); break;
                case RecordType.Cosigned: Apply(CosignedRecord.Decode(payload)); break;
                default: throw new FormatException($"journal: record type {type} is unknown; a newer release wrote it");
            }

            _applied = position;
        }
    }

    private void Admit()
    {
        while (_arrivals.TryDequeue(out var arrival))
        {
            Interlocked.Add(ref _arriving, -arrival.Batch.Count);
            if (!arrival.IsOver) arrival.Entry = Enter(arrival, arrival.Batch.StatementId);
        }
    }

    private StatementEntry Enter(ArrivingBatch arrival, in Hash256 id)
    {
        var entry = FindOrEnter(id, arrival.Head, arrival.Batch.Statement.Span, arrival.Head.HostTime);
        _index.AddRows(entry, arrival.Batch.ReceiptIds, arrival.Batch.LeafHashes);
        return entry;
    }

    private void Apply(RecordPosition position, BatchRecord record)
    {
        var id = MerkleTree.LeafHash(record.Statement);
        var head = StatementHead.Read(record.Statement);
        var entry = FindOrEnter(id, head, record.Statement, head.HostTime);
        _index.AddRows(entry, record.Receipts, record.Leaves);
        MarkDurable(entry, position, record.Time);
    }

    private void Apply(RecordPosition position, StatementRecord record)
    {
        var id = MerkleTree.LeafHash(record.Statement.Span);
        var entry = FindOrEnter(id, StatementHead.Read(record.Statement.Span), record.Statement.Span, record.Time);
        foreach (var row in record.Rows) _index.AddRow(entry, row);
        // Live, the record was written before the sync that made it durable; only a replay has no better time.
        MarkDurable(entry, position, _board.Measuring ? Now() : record.Time);
    }

    private void MarkDurable(StatementEntry entry, RecordPosition position, ulong time)
    {
        if (entry.DurableAt != 0) return;
        (entry.Position, entry.DurableAt) = (position, time);
        _unverified.Enqueue(entry);
        _board.Update(entry, time);
    }

    // Live, the statements had these times already; on a replay they had their own records', at most a sync too early.
    private void Apply(DatedRecord record)
    {
        for (var i = 0; i < record.Statements.Length; i++)
        {
            if (_index.Find(record.Statements[i]) is not { DurableAt: not 0 } entry) continue;
            entry.DurableAt = record.DurableAt[i];
            if (record.AreVerified) MarkVerified(entry, record.Time);
        }
    }

    // In memory, in the archive, or new. The archive is asked only about sequences that it may hold: never about new ones.
    private StatementEntry FindOrEnter(in Hash256 id, in StatementHead head, ReadOnlySpan<byte> statement, ulong since)
    {
        if (_index.Find(id) is { } known) return known;
        return _archive.MayHold(head.Epoch, head.Sequence) && _archive.Find(id) is { } old ? _index.Recall(old) : Enter(id, head, statement, since);
    }

    private StatementEntry Enter(in Hash256 id, in StatementHead head, ReadOnlySpan<byte> statement, ulong since)
    {
        var series = _board.Models.Of(StatementModel.NameOf(statement));
        var entry = new StatementEntry(id) { Epoch = head.Epoch, Sequence = head.Sequence, Receipts = head.Receipts, ExecutedAt = head.HostTime, Since = since, Series = series };
        _index.Add(entry);
        _board.Enter(entry);
        return entry;
    }

    private void Apply(VerifiedRecord record)
    {
        foreach (var id in record.Statements)
            if (_index.Find(id) is { } entry) MarkVerified(entry, record.Time);
    }

    private void MarkVerified(StatementEntry entry, ulong time)
    {
        if (entry is not { VerifiedAt: 0, QuarantinedAt: 0 }) return;
        entry.VerifiedAt = time;
        _unsequenced.Enqueue(entry);
        _board.Update(entry, time);
    }

    private void Apply(QuarantinedRecord record)
    {
        if (_index.Find(record.Statement) is not { VerifiedAt: 0, QuarantinedAt: 0 } entry) return;
        (entry.QuarantinedAt, entry.Reasons) = (record.Time, record.Reasons);
        _quarantined.Add(entry);
        _board.Update(entry, record.Time);
    }

    private void Apply(SequencedRecord record)
    {
        if (record.FirstLeaf != _tree.Size) throw new FormatException($"journal: leaf {record.FirstLeaf} was recorded where leaf {_tree.Size} comes next");
        foreach (var id in record.Statements)
        {
            if (_index.Find(id) is not { VerifiedAt: not 0, Leaf: null } entry) throw new FormatException($"journal: statement {id} was sequenced twice or without being verified");
            _index.AddLeaf(entry);
            _tree.Append(id);
        }
    }

    private void Apply(AuditedRecord record) =>
        _audits.Apply(record, record.Operation < (ulong)_operations.Count ? _operations[(int)record.Operation] : null);

    private void Apply(EpochRecord record)
    {
        if (_epochs.TryAdd(record.Epoch.Id, record.Epoch)) _newestEpoch = record.Epoch;
    }

    /// <summary>The state's parts, usable only while the lock is held.</summary>
    internal readonly ref struct View(SettlementState state)
    {
        public StatementIndex Index => state._index;

        public StageBoard Board => state._board;

        public TileTree Tree => state._tree;

        public Queue<StatementEntry> Unverified => state._unverified;

        public Queue<StatementEntry> Unsequenced => state._unsequenced;

        public AuditBook Audits => state._audits;

        public IReadOnlyCollection<StatementEntry> Quarantined => state._quarantined;

        public IReadOnlyDictionary<Hash256, Epoch> Epochs => state._epochs;

        /// <summary>The epoch that was announced last: the running engine's.</summary>
        public Epoch? NewestEpoch => state._newestEpoch;

        public OperationLog Operations => state._operations;

        /// <summary>Operations that are neither final nor abandoned, oldest first.</summary>
        public IReadOnlyCollection<ChainOperation> Live => state._live.Values;

        public Spending Spending => state._spending;

        public IReadOnlyDictionary<Hash256, ChainOperation> AnchorsByHead => state._anchors;

        public StatementEntry FindOrEnter(in Hash256 id, in StatementHead head, ReadOnlySpan<byte> statement, ulong since) => state.FindOrEnter(id, head, statement, since);

        /// <summary>The record that was applied last; all before it were.</summary>
        public RecordPosition Applied => state._applied;

        /// <summary>Anchors that the archive took leave the table of heads.</summary>
        public void Release(IReadOnlyList<ChainOperation> archived)
        {
            state._operations.Release(archived);
            foreach (var operation in archived)
                if (state._anchors.GetValueOrDefault(operation.Head) == operation) state._anchors.Remove(operation.Head);
        }
    }
}
