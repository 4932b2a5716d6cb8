using System.Globalization;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// The two newest snapshots. Each is whole or absent after a crash; a damaged one is passed over for the one before it,
/// and without any the journal is replayed from its beginning. Used by one thread at a time.
/// </summary>
internal sealed class SnapshotFolder(IDisk disk, string folder, IFullTileReader tiles)
{
    private const string Prefix = "snapshot-";
    private const string Suffix = ".snap";

    private readonly List<Kept> _kept = []; // newest last, at most two

    /// <summary>Bytes of the newest one.</summary>
    public long NewestSize { get; private set; }

    public RecordPosition? Newest => _kept.Count > 0 ? _kept[^1].Position : null;

    /// <summary>Journal position from which on every kept snapshot needs the journal.</summary>
    public RecordPosition? Oldest => _kept.Count > 0 ? _kept[0].Position : null;

    /// <summary>Archive files that kept snapshots name.</summary>
    public IReadOnlyCollection<uint> NeededRuns => [.. _kept.SelectMany(kept => kept.Runs)];

    /// <summary>The newest snapshot that is whole; null when there is none.</summary>
    /// <exception cref="ArchiveDamagedException">A newer release wrote it.</exception>
    public SnapshotContent? ReadNewest()
    {
        SnapshotContent? newest = null;
        foreach (var number in Numbers().OrderDescending())
        {
            if ((newest is null ? Read(number, SnapshotBytes.Read) : Read(number, SnapshotBytes.ReadHead)) is not { } content) continue;
            newest ??= content;
            _kept.Insert(0, new(number, content.Position, [.. content.Archive.Runs.Select(run => run.Number)]));
            if (_kept.Count == 2) break;
        }

        return newest;
    }

    /// <summary>Writes the next snapshot and deletes the ones beyond two. The archive was synced before.</summary>
    public void Write(SnapshotContent content)
    {
        var number = _kept.Count > 0 ? _kept[^1].Number + 1 : 1;
        var path = PathOf(number);
        var beside = path + AtomicFile.TemporarySuffix;
        try
        {
            using var file = disk.Open(beside, create: true);
            file.Truncate(0);
            var writer = new SnapshotWriter(file);
            SnapshotBytes.Write(content, writer);
            NewestSize = writer.Length;
        }
        catch (DiskException full) when (full.IsFull)
        {
            disk.Delete(beside); // whatever it held, others need more
            throw;
        }

        disk.Rename(beside, path);
        disk.SyncFolder(folder);
        _kept.Add(new(number, content.Position, [.. content.Archive.Runs.Select(run => run.Number)]));
        if (_kept.Count > 2) _kept.RemoveAt(0);
        DeleteOthers();
    }

    /// <summary>Deletes what is not kept: damaged ones, old ones, half-written ones.</summary>
    public void DeleteOthers()
    {
        foreach (var name in disk.List(folder).Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
            if (_kept.All(kept => Path.GetFileName(PathOf(kept.Number)) != name)) disk.Delete(Path.Combine(folder, name));
    }

    private SnapshotContent? Read(uint number, Func<SnapshotReader, string, IFullTileReader, SnapshotContent?> read)
    {
        var path = PathOf(number);
        using var file = disk.Open(path, create: false);
        try
        {
            return read(new SnapshotReader(file), path, tiles);
        }
        catch (FormatException)
        {
            return null; // parts are intact one by one, yet do not make a state: as good as damaged
        }
    }

    private IEnumerable<uint> Numbers()
    {
        foreach (var name in disk.List(folder))
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
                && uint.TryParse(name.AsSpan(Prefix.Length, name.Length - Prefix.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                yield return number;
        }
    }

    private string PathOf(uint number) => Path.Combine(folder, Prefix + number.ToString("D8", CultureInfo.InvariantCulture) + Suffix);

    private sealed record Kept(uint Number, RecordPosition Position, uint[] Runs);
}
