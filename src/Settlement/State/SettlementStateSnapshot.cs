using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <content>What a snapshot takes of the state, and gives back. A part of the state that is not here is made anew from records that a snapshot carries.</content>
internal sealed partial class SettlementState
{
    /// <summary>Everything durable as it is now, but what the archive holds.</summary>
    public SnapshotContent Capture()
    {
        lock (_gate)
        {
            Admit();
            var statements = _index.InMemory.Where(entry => entry.DurableAt != 0).Select(StatementCapture.Of).ToList();
            return new(
                _applied, _archive.Describe(), [.. _epochs.Values], [.. _operations.InMemory.Select(OperationBytes.Encode)], [.. _operations.AnchoringEpochs], statements, _tree.Freeze(), _spending.Encode(), _carried.ToArray());
        }
    }

    /// <summary>Takes over a snapshot; the archive has taken over its part before. The journal's tail follows.</summary>
    public void Restore(SnapshotContent snapshot)
    {
        lock (_gate)
        {
            _tree = snapshot.Tree;
            foreach (var epoch in snapshot.Epochs) Apply(new EpochRecord(0, epoch));
            _operations.Restore(snapshot.Operations.Select(bytes => OperationBytes.Decode(bytes)), snapshot.AnchoringEpochs);
            foreach (var operation in _operations.InMemory)
            {
                if (!operation.IsFinal && operation.AbandonedBecause is null) _live.Add(operation.Id, operation);
                if (operation.Checkpoint is not null) _anchors[operation.Head] = operation;
            }

            _index.BeginBehindArchive();
            _board.CountArchived(_archive.Receipts);
            foreach (var statement in snapshot.Statements) Restore(statement);
            _spending.Restore(snapshot.Spending);
            foreach (var (position, type, payload) in snapshot.Carried) Apply(position, type, payload);
            _applied = snapshot.Position;
        }
    }

    private void Restore(StatementCapture statement)
    {
        var entry = statement.ToEntry(statement.Anchor is { } anchor ? _operations.ForChange(anchor) : null, _board.Models.Of(statement.Model));
        if (_index.Restore(entry, statement.Rows)) _board.CountArchived(-entry.Receipts);
        entry.Announced = entry.Stage;
        _board.Restore(entry);
        if (entry.QuarantinedAt != 0) _quarantined.Add(entry);
        if (entry.QuarantinedAt != 0 || entry.Leaf is not null) return;
        (entry.VerifiedAt == 0 ? _unverified : _unsequenced).Enqueue(entry);
    }
}
