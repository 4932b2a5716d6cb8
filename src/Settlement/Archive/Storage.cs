using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Where statements are.</summary>
/// <param name="ArchivedStatements">Final statements that left memory.</param>
/// <param name="StatementsInMemory">Open, quarantined and lately final ones.</param>
/// <param name="SnapshotsTaken">Since the process began.</param>
/// <param name="FirstSegment">Journal segments below this one were pruned.</param>
/// <param name="Journal">The journal's last record.</param>
/// <param name="RecordsReplayed">Records that were read back at the start.</param>
public readonly record struct StorageStatus(
    ulong ArchivedStatements, int StatementsInMemory, long SnapshotsTaken, uint FirstSegment, RecordPosition Journal, long RecordsReplayed);

/// <summary>
/// A data folder, opened: the newest snapshot, the journal's tail applied over it, and whoever keeps both from growing.
/// Without a snapshot that can be read, the whole journal is replayed and the archive made anew.
/// </summary>
internal sealed class Storage : IDisposable
{
    private readonly StatementArchive _archive;

    private Storage(SettlementState state, IOutbox outbox, StatementArchive archive, EntryReader entries, Keeper? keeper) =>
        (State, Outbox, _archive, Entries, Keeper, Recall) = (state, outbox, archive, entries, keeper, new ArchiveRecall(state, archive));

    public SettlementState State { get; }

    public IOutbox Outbox { get; }

    public EntryReader Entries { get; }

    /// <summary>Null over a shared journal: nothing leaves memory there.</summary>
    public Keeper? Keeper { get; }

    public ArchiveRecall Recall { get; }

    private long RecordsReplayed { get; init; }

    private IDisposable? FolderLock { get; init; }

    public StorageStatus Status => new(
        _archive.Statements, State.Locked(view => view.Index.InMemory.Count), Keeper?.Snapshots ?? 0, (Outbox as SegmentOutbox)?.Segments.Floor ?? 0, State.Locked(view => view.Applied), RecordsReplayed);

    public static Storage Open(string dataFolder, OutboxOptions outboxOptions, StorageOptions options, TrustGapObjective objective, IDisk disk, TimeProvider clock, TileStore tiles, ConditionBoard conditions)
    {
        var folder = Path.Combine(dataFolder, "archive");
        var archive = new StatementArchive(disk, folder);
        SegmentOutbox? outbox = null;
        try
        {
            var state = new SettlementState(tiles, archive, objective, clock);
            var snapshots = new SnapshotFolder(disk, folder, tiles);
            var snapshot = snapshots.ReadNewest();
            if (snapshot is not null)
            {
                archive.Restore(snapshot.Archive);
                state.Restore(snapshot);
            }

            var keeper = new Keeper(state, archive, snapshots, conditions, options, outboxOptions.SegmentSize, clock);
            var sink = new ReplaySink(state, () => CatchUp(keeper, state, tiles));
            // Nothing is written before the outbox holds the folder's lock.
            outbox = SegmentOutbox.Open(disk, Path.Combine(dataFolder, "outbox"), outboxOptions, sink, snapshot?.Position);
            sink.IsLive = true;
            keeper.CleanUp();
            var entries = new EntryReader(tiles);
            keeper.Pruner = new SegmentPruner(disk, outbox, state, archive, snapshots, entries, options);
            return new Storage(state, outbox, archive, entries, keeper) { RecordsReplayed = sink.Records };
        }
        catch
        {
            outbox?.Dispose();
            archive.Dispose();
            throw;
        }
    }

    /// <summary>Over a journal that other processes share. It is read from its beginning, and every statement stays in memory.</summary>
    /// <param name="open">Opens the journal and applies all of it to the state.</param>
    /// <exception cref="OutboxLockedException">Another process publishes into this data folder.</exception>
    public static Storage Share(string dataFolder, TrustGapObjective objective, IDisk disk, TimeProvider clock, TileStore tiles, Func<SettlementState, IOutbox> open)
    {
        var folder = Path.Combine(dataFolder, "outbox");
        disk.CreateFolder(folder);
        var folderLock = disk.TryLock(Path.Combine(folder, SegmentOutbox.LockName)) ?? throw new OutboxLockedException(folder);
        var archive = new StatementArchive(disk, Path.Combine(dataFolder, "archive"));
        try
        {
            var state = new SettlementState(tiles, archive, objective, clock);
            return new Storage(state, open(state), archive, new EntryReader(tiles), keeper: null) { FolderLock = folderLock };
        }
        catch
        {
            archive.Dispose();
            folderLock.Dispose();
            throw;
        }
    }

    // A full disk or a log that does not fit must not keep the journal from being read: whoever comes after says so.
    private static void CatchUp(Keeper keeper, SettlementState state, TileStore tiles)
    {
        try
        {
            keeper.Archive();
        }
        catch (DiskException full) when (full.IsFull)
        {
        }

        foreach (var ((level, index), hashes) in state.Locked(view => view.Tree.Unstored.ToArray()))
            if (tiles.HasFullTile(level, index, hashes)) state.Locked(view => view.Tree.MarkStored(level, index));
    }

    public void Dispose()
    {
        Outbox.Dispose();
        _archive.Dispose();
        FolderLock?.Dispose();
    }
}
