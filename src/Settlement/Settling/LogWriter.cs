using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// Publishes the log's files for checkpoints that are in the journal already, each with its edge, the newest as the
/// checkpoint, with the cosignatures that have come. A crash in here is repaired by the next call or the next start. Safe
/// for concurrent calls.
/// </summary>
internal sealed class LogWriter(SettlementState state, IOutbox outbox, LogPublisher publisher, ConditionBoard conditions)
{
    private readonly Lock _gate = new(); // guards what follows, and the files
    private ulong _published; // size of the newest checkpoint whose edge is on disk
    private (ulong Operation, int Cosignatures)? _shown; // what the checkpoint's file says

    /// <summary>At start: refuses a log that knows more than the journal, and completes what a crash left unpublished.</summary>
    public void Recover()
    {
        state.Locked(view => publisher.CheckAgainst(view.Tree));
        _published = publisher.PublishedSize() ?? 0;
        PublishDue();
    }

    /// <summary>Publishes what the journal has and the files lack. A full disk is waited out: anchoring needs the journal alone.</summary>
    public void PublishDue()
    {
        lock (_gate)
        {
            var (due, newest) = state.Locked(Due);
            if (newest is null || (_shown == newest.Value.Shown && due.Count == 0)) return;
            try
            {
                // A checkpoint that is out there, be it superseded already, has its partial tiles (C2SP tlog-tiles).
                foreach (var size in due) PublishEdge(size, newest.Value.Size);
                publisher.StoreCheckpoint(newest.Value.Note);
                _shown = newest.Value.Shown;
                conditions.Clear(ConditionKind.OutboxFull);
            }
            catch (DiskException full) when (full.IsFull)
            {
                conditions.Set(ConditionKind.OutboxFull, $"the log's files could not be written: {full.Message}", "free space; settlement goes on by itself");
            }
        }
    }

    private (Stack<ulong> Due, (ulong Size, (ulong, int) Shown, byte[] Note)? Newest) Due(SettlementState.View view)
    {
        var due = new Stack<ulong>();
        (ulong, (ulong, int), byte[])? newest = null;
        for (var i = view.Operations.Count - 1; i >= 0; i--)
        {
            if (view.Operations[i] is not { Checkpoint: { } signed } operation) continue;
            newest ??= (signed.Size, (operation.Id, operation.Cosignatures.Count), [.. signed.Note.Span, .. operation.Cosignatures.SelectMany(line => line.ToArray())]);
            // The published one's own edge may have been cut off by a crash before it was whole.
            if (signed.Size < _published || (signed.Size == _published && _shown is not null)) break;
            due.Push(signed.Size);
        }

        return (due, newest);
    }

    private void PublishEdge(ulong size, ulong newest)
    {
        var (full, edge) = state.Locked(view => (view.Tree.Unstored.ToArray(), view.Tree.EdgeAt(size)));
        publisher.StoreFullTiles(full);
        state.Locked(view =>
        {
            foreach (var (tile, _) in full) view.Tree.MarkStored(tile.Level, tile.Index);
        });
        publisher.StoreEdge(size, newest, edge, Entry);
        _published = size;
    }

    private ReadOnlyMemory<byte> Entry(ulong leaf)
    {
        var position = state.Locked(view => view.Index.AtLeaf(leaf).Position);
        return StatementRecord.StatementOf(outbox.Read(position));
    }
}
