using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// Deletes old segments of the journal, after it has seen for each statement in them that the archive knows it and that
/// the published log gives its bytes back. A segment with a quarantined statement stays: nothing else has that.
/// </summary>
internal sealed class SegmentPruner(
    IDisk disk, SegmentOutbox outbox, SettlementState state, StatementArchive archive, SnapshotFolder snapshots, EntryReader entries, StorageOptions options)
{
    private const ulong NanosecondsPerTick = 100;

    // Between two looks: ages are counted in hours, and a look reads whole segments.
    private const ulong Pause = 60UL * 1_000_000_000;

    private readonly SegmentFolder _segments = outbox.Segments;
    private ulong _next;

    private enum Verdict
    {
        MayGo,
        MustStay,
        TooEarly,
    }

    public void Prune()
    {
        if (options.PruneAfter is not { } age || snapshots.Oldest is not { } needed) return;
        var now = state.Now();
        if (now < _next) return;
        _next = now + Pause;
        var goes = new List<uint>();
        var floor = _segments.Floor;
        for (; floor < needed.Segment; floor++)
        {
            if (!IsOld(floor, age)) break;
            var verdict = Look(floor);
            if (verdict == Verdict.TooEarly) break;
            if (verdict == Verdict.MayGo) goes.Add(floor);
        }

        if (floor == _segments.Floor) return;
        foreach (var number in goes) Copy(number);
        // A crash between the mark and the deletions leaves segments that nobody needs.
        _segments.RaiseFloor(floor);
        foreach (var number in goes) _segments.Delete(number);
    }

    // Every record begins with its time; the next segment's first one is younger than all of this segment.
    private bool IsOld(uint number, TimeSpan age)
    {
        if (!_segments.Exists(number) || !_segments.Exists(number + 1)) return false;
        var time = BinaryPrimitives.ReadUInt64BigEndian(outbox.Read(new(number + 1, SegmentHeader.Size)));
        return state.Now() > time && (state.Now() - time) / NanosecondsPerTick >= (ulong)age.Ticks;
    }

    private Verdict Look(uint number)
    {
        var stays = false;
        foreach (var (_, type, payload) in SegmentRecords.Of(_segments, number))
        {
            if (type is not (RecordType.Statement or RecordType.Batch)) continue;
            var id = MerkleTree.LeafHash(StatementRecord.StatementOf(payload));
            if (archive.Find(id) is { } archived)
            {
                if (entries.Read(archived.Leaf) is not { } published || MerkleTree.LeafHash(published) != id) return Verdict.TooEarly;
            }
            else if (state.Locked(view => view.Index.Find(id) is { QuarantinedAt: not 0 })) stays = true;
            else return Verdict.TooEarly;
        }

        return stays ? Verdict.MustStay : Verdict.MayGo;
    }

    private void Copy(uint number)
    {
        if (options.PruneTo is not { } folder) return;
        disk.CreateFolder(folder);
        AtomicFile.Write(disk, Path.Combine(folder, Path.GetFileName(_segments.PathOf(number))), SegmentRecords.Bytes(_segments, number));
        disk.SyncFolder(folder);
    }
}
