using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

/// <summary>
/// What an auditor behind settlement needs: anchors to draw for, a place for what it found, and the brake. It says nothing
/// about how a row is executed again. Safe for concurrent calls; draws and outcomes are written by one auditor.
/// </summary>
public sealed class SettlementAudits
{
    // A record is written in one piece: 512 rows are some 30 KiB, and 600 KiB with the longest sentences.
    private const int RowsPerRecord = 512;

    private readonly SettlementState _state;
    private readonly JournalWriter _journal;
    private readonly BlockFinder _blocks;
    private readonly RunningEpochs _epochs;

    internal SettlementAudits(SettlementState state, JournalWriter journal, BlockFinder blocks, RunningEpochs epochs) =>
        (_state, _journal, _blocks, _epochs) = (state, journal, blocks, epochs);

    public AuditTotals Totals => _state.Locked(view => view.Audits.Totals);

    /// <summary>The last draws, newest first.</summary>
    public IReadOnlyList<AnchorDraw> RecentDraws => _state.Locked(view => view.Audits.Recent.ToArray());

    /// <summary>Every row that was disputed, oldest first.</summary>
    public IReadOnlyList<AuditedRow> Disputes => _state.Locked(view => view.Audits.Disputes.ToArray());

    /// <summary>Epochs whose keys sign nothing more.</summary>
    public IReadOnlyList<EpochHalt> Halts => _state.Locked(view => view.Audits.Halts.Values.OrderBy(halt => halt.At).ToArray());

    /// <summary>Statements that failed a check and will never be anchored, the newest first.</summary>
    public IReadOnlyList<StatementStatus> Quarantined(int max) => _state.Locked(view => view.Quarantined.Reverse().Take(max).Select(entry => Proofs.StatusOf(entry)).ToArray());

    /// <summary>Auditing is on: from the next anchor on, every one gets a draw. Does nothing when it began earlier.</summary>
    public Task BeginAsync(CancellationToken cancellationToken)
    {
        var next = _state.Locked(view => view.Audits.Begun is null ? (ulong?)view.Operations.Count : null);
        return next is { } operation ? WriteAsync(AuditRecordKind.Begun, operation, new AuditBeacon(0, default), 1, [], cancellationToken) : Task.CompletedTask;
    }

    /// <summary>Final anchors that no draw was made for, oldest first.</summary>
    public IReadOnlyList<AuditableAnchor> Undrawn(int max) => _state.Locked(view =>
    {
        if (view.Audits.Begun is not { } begun) return [];
        var found = new List<AuditableAnchor>();
        var isOver = true;
        for (var id = Math.Max(view.Audits.From, begun); id < (ulong)view.Operations.Count && found.Count < max; id++)
        {
            var operation = view.Operations[(int)id];
            var isDue = operation is { Checkpoint: not null, AbandonedBecause: null } && !view.Audits.IsDrawn(id);
            isOver &= !isDue;
            if (isOver) view.Audits.From = id + 1;
            if (isDue && operation is { IsFinal: true, Checkpoint: { } signed }) found.Add(AuditBook.AnchorOf(operation, signed));
        }

        return found;
    });

    /// <summary>The statements of an anchor's leaves from one on.</summary>
    public IReadOnlyList<AuditableStatement> StatementsOf(AuditableAnchor anchor, ulong fromLeaf, int max) => _state.Locked(view =>
    {
        var found = new List<AuditableStatement>();
        for (var leaf = Math.Max(fromLeaf, anchor.FirstLeaf); leaf < anchor.Size && found.Count < max; leaf++)
        {
            var entry = view.Index.AtLeaf(leaf);
            found.Add(new(leaf, entry.Id, (uint)entry.Receipts));
        }

        return found;
    });

    /// <summary>The beacon of an anchor: null until that block is there and final by the operator's rule, and while the chain does not answer.</summary>
    public async Task<AuditBeacon?> BeaconOfAsync(AuditableAnchor anchor, CancellationToken cancellationToken)
    {
        var number = anchor.Block + AuditDraw.BeaconDistance;
        return await _blocks.FinalHashAsync(number, cancellationToken).ConfigureAwait(false) is { } hash ? new AuditBeacon(number, hash) : null;
    }

    /// <summary>Records a draw; durable when it returns. May be repeated after a crash: the same rows come again.</summary>
    public async Task RecordDrawAsync(AuditableAnchor anchor, AuditBeacon beacon, uint oneIn, IReadOnlyList<(AuditableStatement Statement, uint Row)> rows, CancellationToken cancellationToken)
    {
        var at = 0;
        do
        {
            var part = rows.Skip(at).Take(RowsPerRecord).Select(row => new AuditedRow(
                row.Statement.Id, row.Statement.Leaf, row.Row, AuditOutcome.Sampled, AuditReason.None, 0, beacon, oneIn, anchor.Operation, "")).ToArray();
            at += part.Length;
            await WriteAsync(at < rows.Count ? AuditRecordKind.Drawn : AuditRecordKind.DrawnToTheEnd, anchor.Operation, beacon, oneIn, part, cancellationToken).ConfigureAwait(false);
        }
        while (at < rows.Count);
    }

    /// <summary>Rows that were drawn and not concluded, oldest first.</summary>
    public IReadOnlyList<AuditedRow> Due(int max) => _state.Locked(view => view.Audits.Due(max));

    /// <summary>Records what came of rows that were drawn, all of one anchor; durable when it returns.</summary>
    public Task ConcludeAsync(IReadOnlyList<AuditedRow> rows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Count, RowsPerRecord);
        if (rows.Any(row => row.Operation != rows[0].Operation)) throw new ArgumentException("rows of one anchor are concluded together", nameof(rows));
        return rows.Count == 0
            ? Task.CompletedTask
            : WriteAsync(AuditRecordKind.Concluded, rows[0].Operation, rows[0].Beacon, rows[0].OneIn, [.. rows], cancellationToken);
    }

    /// <summary>The epoch's key signs nothing more: no checkpoint from now on, and whoever seals must ask <see cref="Halted"/>. Durable when it returns.</summary>
    public Task HaltAsync(Hash256 epoch, Hash256 statement, string reason, CancellationToken cancellationToken) => HaltOf(epoch) is not null
        ? Task.CompletedTask
        : _journal.AppendAsync(RecordType.EpochHalted, new HaltedRecord(new EpochHalt(epoch, _state.Now(), statement, reason)).Encode(), cancellationToken);

    /// <summary>Why this process's keys sign nothing more: one of them was halted, be it one that a rotation replaced since. Null while none was. Takes no lock: sealing asks it for every batch.</summary>
    public EpochHalt? Halted => _epochs.Halt;

    /// <summary>Why an epoch was halted; null while it was not. Takes no lock.</summary>
    public EpochHalt? HaltOf(in Hash256 epoch) => _state.Halts.GetValueOrDefault(epoch);

    private Task WriteAsync(AuditRecordKind kind, ulong operation, AuditBeacon beacon, uint oneIn, AuditedRow[] rows, CancellationToken cancellationToken) =>
        _journal.AppendAsync(RecordType.Audited, new AuditedRecord(_state.Now(), kind, operation, beacon, oneIn, rows).Encode(), cancellationToken);
}
