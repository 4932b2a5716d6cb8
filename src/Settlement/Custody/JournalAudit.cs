using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>One anchor as the journal ends with it.</summary>
internal sealed record AuditedAnchor(ulong Operation, ulong Size, Hash256 Root, Hash256 PreviousHead, AnchorClaim At, bool IsFinal);

/// <summary>
/// Follows what the records say, as recovery does, and checks it: each statement, what became of it, the order of leaves,
/// each checkpoint, each anchor. Of a statement that is settled it keeps 8 bytes, of an anchor what names it.
/// </summary>
internal sealed class JournalAudit(AuditTrust trust, SegmentAudit segments, TileAudit tiles, BundleAudit bundles, CheckpointAudit checkpoints, AuditReport report)
{
    private readonly Dictionary<Hash256, Waiting> _waiting = [];
    private readonly HashSet<ulong> _sequenced = []; // the first 8 bytes of ids, which are digests
    private readonly Dictionary<ulong, (ulong Size, Hash256 Root, Hash256 PreviousHead)> _checkpoints = [];
    private readonly SortedDictionary<ulong, AuditedAnchor> _anchors = [];
    private ulong _nextOperation;

    public IReadOnlyCollection<AuditedAnchor> Anchors => _anchors.Values;

    public async Task ApplyAsync(RecordPosition position, byte type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        try
        {
            switch (type)
            {
                case RecordType.Batch: TakeBatch(position, payload); break;
                case RecordType.Statement: Take(position, StatementRecord.Decode(payload.Span)); break;
                case RecordType.Verified: Verify(position, VerifiedRecord.Decode(payload.Span).Statements); break;
                case RecordType.Dated: Date(position, DatedRecord.Decode(payload.Span)); break;
                case RecordType.Quarantined: Quarantine(position, QuarantinedRecord.Decode(payload.Span)); break;
                case RecordType.Sequenced: await SequenceAsync(position, SequencedRecord.Decode(payload.Span), cancellationToken).ConfigureAwait(false); break;
                case RecordType.EpochAnnounced: Announce(position, EpochRecord.Decode(payload.Span)); break;
                case RecordType.OperationOpened: Open(position, OpenedRecord.Decode(payload.Span)); break;
                case RecordType.Attempted: AttemptRecord.Decode(payload.Span); break;
                case RecordType.Included: Include(position, IncludedRecord.Decode(payload.Span)); break;
                case RecordType.Finalized: End(position, OperationEndRecord.Decode(payload.Span), isFinal: true); break;
                case RecordType.Reopened: End(position, OperationEndRecord.Decode(payload.Span), isFinal: false); break;
                case RecordType.Abandoned: End(position, OperationEndRecord.Decode(payload.Span), isFinal: false); break;
                case RecordType.Audited: AuditedRecord.Decode(payload.Span); break;
                case RecordType.EpochHalted: HaltedRecord.Decode(payload.Span); break;
                case RecordType.Spent: SpentRecord.Decode(payload.Span); break;
                case RecordType.Cosigned: Require(checkpoints.Check(CosignedRecord.Decode(payload.Span)), position); break;
                default: report.OtherRecords++; break;
            }
        }
        catch (FormatException malformed)
        {
            throw Wrong(position, malformed.Message);
        }
    }

    private void TakeBatch(RecordPosition position, ReadOnlyMemory<byte> payload)
    {
        var record = BatchRecord.Decode(payload.Span);
        var rows = MerkleTree.Root(record.Leaves);
        Take(position, record.Statement.ToArray(), statement => statement.RowsRoot == rows && statement.Receipts == RowsIn(payload) ? null : "its rows are not the ones that it commits to");

        static uint RowsIn(ReadOnlyMemory<byte> payload) => (uint)BatchRecord.Decode(payload.Span).Leaves.Length;
    }

    private void Take(RecordPosition position, StatementRecord record) => Take(position, record.Statement.ToArray(), _ => null);

    private void Take(RecordPosition position, byte[] bytes, Func<Statement, string?> rows)
    {
        var id = MerkleTree.LeafHash(bytes);
        if (_waiting.ContainsKey(id) || _sequenced.Contains(Short(id))) return; // a receipt of it came back
        report.Statements++;
        var reasons = trust.Epochs.Verify(bytes);
        var failure = reasons.Count > 0 ? string.Join(", ", reasons.Select(reason => reason.Text())) : rows(Statement.Decode(bytes));
        _waiting.Add(id, new(position, failure));
    }

    private void Date(RecordPosition position, DatedRecord record)
    {
        if (record.AreVerified) Verify(position, record.Statements);
    }

    private void Verify(RecordPosition position, Hash256[] statements)
    {
        foreach (var id in statements)
        {
            if (!_waiting.TryGetValue(id, out var waiting))
            {
                if (_sequenced.Contains(Short(id))) continue;
                throw Wrong(position, $"statement {id} is recorded as verified, but no record before holds it");
            }

            if (waiting.Failure is { } failure) throw Wrong(waiting.Position, $"a statement that holds is expected, for it was recorded as verified: {failure}");
            waiting.IsVerified = true;
        }
    }

    private void Quarantine(RecordPosition position, QuarantinedRecord record)
    {
        if (!_waiting.Remove(record.Statement)) throw Wrong(position, $"statement {record.Statement} is recorded as quarantined, but no record before holds it");
        report.Quarantined++;
    }

    private async Task SequenceAsync(RecordPosition position, SequencedRecord record, CancellationToken cancellationToken)
    {
        if (record.FirstLeaf != tiles.Tree.Size) throw Wrong(position, $"leaf {tiles.Tree.Size} is expected next, leaf {record.FirstLeaf} was recorded");
        foreach (var id in record.Statements)
        {
            if (!_waiting.Remove(id, out var waiting)) throw Wrong(position, $"statement {id} became a leaf twice, or no record before holds it");
            if (!waiting.IsVerified) throw Wrong(position, $"statement {id} became a leaf without being verified");
            _sequenced.Add(Short(id));
            await tiles.AppendAsync(id, cancellationToken).ConfigureAwait(false);
            await bundles.AppendAsync(id, waiting.Position, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Announce(RecordPosition position, EpochRecord record)
    {
        if (Evidence.Decode(record.Epoch.Evidence.Span).Epoch != record.Epoch.Id) throw Wrong(position, $"the evidence recorded for epoch {record.Epoch.Id} binds another");
        var reasons = trust.Epochs.Add(record.Epoch.Evidence);
        if (reasons.Count > 0) throw Wrong(position, $"the evidence of epoch {record.Epoch.Id} is not accepted: {string.Join(", ", reasons.Select(reason => reason.Text()))}");
    }

    private void Open(RecordPosition position, OpenedRecord record)
    {
        if (record.Id != _nextOperation) throw Wrong(position, $"operation {_nextOperation} is expected next, {record.Id} was recorded");
        _nextOperation++;
        if (record.Checkpoint is not { } signed) return;
        Require(checkpoints.Check(record, tiles.Tree), position);
        _checkpoints.Add(record.Id, (signed.Size, signed.Root, signed.PreviousHead));
    }

    private void Include(RecordPosition position, IncludedRecord record)
    {
        if (record.Operation >= _nextOperation) throw Wrong(position, $"operation {record.Operation} was never recorded");
        if (!_checkpoints.TryGetValue(record.Operation, out var signed)) return;
        _anchors[record.Operation] = new(record.Operation, signed.Size, signed.Root, signed.PreviousHead, record.At, IsFinal: false);
    }

    private void End(RecordPosition position, OperationEndRecord record, bool isFinal)
    {
        if (record.Operation >= _nextOperation) throw Wrong(position, $"operation {record.Operation} was never recorded");
        if (!_checkpoints.ContainsKey(record.Operation)) return;
        if (!isFinal) _anchors.Remove(record.Operation);
        else if (_anchors.TryGetValue(record.Operation, out var anchor)) _anchors[record.Operation] = anchor with { IsFinal = true };
        else throw Wrong(position, $"operation {record.Operation} is recorded as final, but not as in a block");
    }

    private static ulong Short(in Hash256 id) => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(id.Bytes);

    private void Require(string? wrong, RecordPosition position)
    {
        if (wrong is not null) throw Wrong(position, wrong);
    }

    private AuditStoppedException Wrong(RecordPosition position, string what) => new(segments.PathOf(position.Segment), position.Offset, what);

    private sealed class Waiting(RecordPosition position, string? failure)
    {
        public RecordPosition Position => position;

        /// <summary>Why it does not hold; null when it does.</summary>
        public string? Failure => failure;

        public bool IsVerified { get; set; }
    }
}
