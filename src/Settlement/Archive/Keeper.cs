using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// Keeps memory and restarts bounded: moves what has long been final to the archive, takes snapshots, prunes. It runs
/// beside the settler and can fail without harm: everything here is made from the journal, and a crash leaves the newest
/// snapshot and the journal behind it.
/// </summary>
internal sealed class Keeper(SettlementState state, StatementArchive archive, SnapshotFolder snapshots, ConditionBoard conditions, StorageOptions options, int segmentSize, TimeProvider clock)
{
    private readonly Lock _step = new(); // one step at a time; a backup waits for it and holds it
    private RecordPosition _snapshotAt = snapshots.Newest ?? default;

    /// <summary>Taken since the process began.</summary>
    public long Snapshots { get; private set; }

    /// <summary>Prunes after snapshots; null without it.</summary>
    public SegmentPruner? Pruner { get; set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.Interval, clock, cancellationToken).ConfigureAwait(false);
                await Task.Run(Step, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Does what is due. What the disk refuses is raised as a condition and tried again with the next step.</summary>
    public void Step()
    {
        lock (_step)
        {
            try
            {
                Archive();
                if (IsSnapshotDue()) TakeSnapshot();
                Pruner?.Prune();
                conditions.Clear(ConditionKind.ArchiveFailed);
            }
            catch (Exception failure) when (failure is DiskException or ArchiveDamagedException)
            {
                conditions.Set(ConditionKind.ArchiveFailed, $"archive or snapshot could not be written: {failure.Message}", "free space or check the disk; memory grows and restarts take longer until then, nothing is lost");
            }
        }
    }

    /// <summary>Runs work during which no file of archive and journal goes away.</summary>
    public void WhileStill(Action work)
    {
        lock (_step) work();
    }

    /// <summary>After the folder was opened and its lock taken: deletes what crashes left.</summary>
    public void CleanUp()
    {
        snapshots.DeleteOthers();
        archive.DeleteRunsBut(snapshots.NeededRuns);
    }

    /// <summary>Moves to the archive what has left the window of what stays in memory. Also runs during a replay, which would fill memory otherwise.</summary>
    public void Archive()
    {
        while (true)
        {
            var statements = state.Locked(view => view.Index.TakeSettled(options.FinalReceiptsInMemory, options.ArchiveStep));
            if (statements.Count == 0) break;
            if (archive.Statements == 0) archive.Begin();
            archive.Append(statements);
            state.Locked(view => view.Index.Release(statements));
            archive.Merge();
        }

        var operations = state.Locked(view => view.Operations.Settled(options.FinalOperationsInMemory, archive.Statements));
        foreach (var operation in operations) archive.Append(operation);
        state.Locked(view => view.Release(operations));
    }

    private bool IsSnapshotDue()
    {
        var now = state.Locked(view => view.Applied);
        var grown = ((long)now.Segment - _snapshotAt.Segment) * segmentSize + now.Offset - _snapshotAt.Offset;
        return grown >= Math.Max(options.SnapshotEveryBytes, 2 * snapshots.NewestSize);
    }

    // A crash before the rename leaves the snapshot before; one after it, files that nobody names any more.
    private void TakeSnapshot()
    {
        var content = state.Capture();
        archive.Sync();
        snapshots.Write(content);
        _snapshotAt = content.Position;
        Snapshots++;
        archive.DeleteRunsBut(snapshots.NeededRuns);
    }
}
