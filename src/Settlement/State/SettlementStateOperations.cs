using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <content>What records say of chain operations, and what that makes of the statements under them.</content>
internal sealed partial class SettlementState
{
    private void Apply(OpenedRecord record)
    {
        if (record.Id != (ulong)_operations.Count) throw new FormatException($"journal: operation {record.Id} was recorded where {_operations.Count} comes next");
        var operation = new ChainOperation(record);
        _operations.Add(operation);
        _live.Add(operation.Id, operation);
        if (record.Checkpoint is not { } signed) return;
        _anchors[operation.Head] = operation;
        operation.FirstLeaf = FirstUncoveredLeaf(signed.Size);
        Cover(operation);
        _board.Closed(record.Reason, record.Time);
    }

    // Leaves are covered in order, and an abandoned anchor gives its leaves back from its first one on.
    private ulong FirstUncoveredLeaf(ulong size)
    {
        var leaf = size;
        while (leaf > 0 && _index.InMemoryAt(leaf - 1) is { Anchor: null }) leaf--;
        return leaf;
    }

    private void Cover(ChainOperation operation)
    {
        for (var leaf = operation.FirstLeaf; leaf < operation.Checkpoint!.Size; leaf++) _index.AtLeaf(leaf).Anchor = operation;
    }

    private void Apply(AttemptRecord record)
    {
        _operations.ForChange(record.Operation).Attempts.Add(
            new(record.Nonce, record.MaxPriorityFee, record.MaxFee, record.GasLimit, record.AtBlock, record.Raw, Keccak256.Hash(record.Raw.Span)));
        _spending.Apply(record);
    }

    private void Apply(IncludedRecord record)
    {
        var operation = _operations.ForChange(record.Operation);
        if (operation.AbandonedBecause is not null) Revive(operation);
        // One that was final and moved to another block was anchored when it was.
        (operation.Inclusion, operation.IncludedAt) = (record.At, operation.IsFinal ? operation.IncludedAt : record.Time);
        Announce(operation, record.Time);
    }

    private void Apply(CosignedRecord record)
    {
        var lines = _operations.ForChange(record.Operation).Cosignatures;
        var name = CosignedRecord.NameOf(record.Line.Span);
        if (!lines.Exists(line => CosignedRecord.NameOf(line.Span) == name)) lines.Add(record.Line);
    }

    private void Finalize(OperationEndRecord record)
    {
        var operation = _operations.ForChange(record.Operation);
        operation.FinalAt = record.Time;
        _live.Remove(operation.Id);
        Announce(operation, record.Time);
    }

    private void Reopen(OperationEndRecord record)
    {
        var operation = _operations.ForChange(record.Operation);
        // Only what was reported as final is "reopened"; an anchor that moves before that is the chain's everyday life.
        if (operation.IsFinal)
        {
            operation.ReopenedAt = record.Time;
            _index.RecallAll(operation);
            _index.Reconsider();
        }

        _audits.Forget(operation);
        (operation.Inclusion, operation.FinalAt) = (null, 0);
        _live[operation.Id] = operation;
        Announce(operation, record.Time);
    }

    private void Abandon(OperationEndRecord record)
    {
        var operation = _operations.ForChange(record.Operation);
        operation.AbandonedBecause = record.Reason;
        _live.Remove(operation.Id);
        Announce(operation, record.Time);
        ForEachStatement(operation, entry => entry.Anchor = null);
    }

    // Given up, but the chain took it all the same: it proves again what nothing earlier proves.
    private void Revive(ChainOperation operation)
    {
        operation.AbandonedBecause = null;
        _audits.Forget(operation);
        _live[operation.Id] = operation;
        for (var leaf = operation.FirstLeaf; leaf < operation.Checkpoint?.Size; leaf++)
            if (_index.InMemoryAt(leaf) is { Anchor: null or { Inclusion: null } } entry) entry.Anchor = operation;
    }

    private void Announce(ChainOperation operation, ulong time) => ForEachStatement(operation, entry => _board.Update(entry, time));

    private void ForEachStatement(ChainOperation operation, Action<StatementEntry> action)
    {
        if (operation.Checkpoint is not { } signed) return;
        for (var leaf = operation.FirstLeaf; leaf < signed.Size; leaf++)
            if (_index.InMemoryAt(leaf) is { } entry && entry.Anchor == operation) action(entry);
    }
}
