using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Publishes the log's files for a checkpoint that is in the journal already. A crash in here is repaired by the next call or the next start.</summary>
internal sealed class LogWriter(SettlementState state, IOutbox outbox, LogPublisher publisher, ConditionBoard conditions)
{
    private (ulong Size, ReadOnlyMemory<byte> Note)? _due;

    /// <summary>At start: refuses a log that knows more than the journal, and completes what a crash left unpublished.</summary>
    public void Recover()
    {
        state.Locked(view => publisher.CheckAgainst(view.Tree));
        var last = state.Locked(view => view.Operations.LastOrDefault(operation => operation.Checkpoint is not null)?.Checkpoint);
        if (last is not null) Due(last.Size, last.Note);
        PublishDue();
    }

    /// <summary>This checkpoint is in the journal: its files follow with the next <see cref="PublishDue"/>.</summary>
    public void Due(ulong size, ReadOnlyMemory<byte> note) => _due = (size, note);

    /// <summary>Publishes what is due. A full disk is waited out: anchoring needs the journal alone.</summary>
    public void PublishDue()
    {
        if (_due is not { } due) return;
        try
        {
            Publish(due.Size, due.Note);
            _due = null;
            conditions.Clear(ConditionKind.OutboxFull);
        }
        catch (DiskException full) when (full.IsFull)
        {
            conditions.Set(ConditionKind.OutboxFull, $"the log's files could not be written: {full.Message}", "free space; settlement goes on by itself");
        }
    }

    private void Publish(ulong size, ReadOnlyMemory<byte> note)
    {
        var (full, edge) = state.Locked(view => (view.Tree.Unstored.ToArray(), view.Tree.EdgeAt(size)));
        publisher.StoreFullTiles(full);
        state.Locked(view =>
        {
            foreach (var (tile, _) in full) view.Tree.MarkStored(tile.Level, tile.Index);
        });
        publisher.StoreEdge(size, edge, Entry, note.Span);
    }

    private ReadOnlyMemory<byte> Entry(ulong leaf)
    {
        var position = state.Locked(view => view.Index.AtLeaf(leaf).Position);
        return StatementRecord.StatementOf(outbox.Read(position));
    }
}
