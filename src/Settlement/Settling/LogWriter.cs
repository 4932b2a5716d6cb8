using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Publishes the log's files for a checkpoint that is in the journal already. A crash in here is repaired by the next call or the next start.</summary>
internal sealed class LogWriter(SettlementState state, IOutbox outbox, LogPublisher publisher)
{
    /// <summary>At start: refuses a log that knows more than the journal, and completes what a crash left unpublished.</summary>
    public void Recover()
    {
        state.Locked(view => publisher.CheckAgainst(view.Tree));
        var last = state.Locked(view => view.Operations.LastOrDefault(operation => operation.Checkpoint is not null)?.Checkpoint);
        if (last is not null) Publish(last.Size, last.Note);
    }

    public void Publish(ulong size, ReadOnlyMemory<byte> note)
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
        return StatementRecord.Decode(outbox.Read(position)).Statement;
    }
}
