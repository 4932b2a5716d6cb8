using System.Globalization;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// Every key, in few sorted runs: new keys become a run of their own, and as soon as four runs were merged equally often
/// they become one. So each key is written log4(n) times, and a look-up asks at most three runs per level. One thread
/// changes it; any thread looks up.
/// </summary>
internal sealed class KeyIndex(IDisk disk, string folder)
{
    private const int MergedAtOnce = 4;
    private const string Prefix = "keys-";
    private const string Suffix = ".run";

    private readonly List<KeyRun> _unsynced = [];
    private volatile KeyRun[] _runs = []; // newest first
    private uint _next = 1;

    public IReadOnlyList<KeyRunName> Runs => [.. _runs.Select(run => run.Name)];

    public uint NextNumber => _next;

    /// <summary>Takes over what a snapshot names.</summary>
    public void Restore(IReadOnlyList<KeyRunName> runs, uint next) =>
        (_runs, _next) = ([.. runs.Select(run => KeyRun.Open(disk, PathOf(run.Number), run))], next);

    public ArchiveKey? Find(in ArchiveKey wanted)
    {
        foreach (var run in _runs)
            if (run.Find(wanted) is { } found && found.IsStatement == wanted.IsStatement) return found;
        return null;
    }

    /// <summary>Adds keys as a run of their own.</summary>
    /// <param name="keys">In any order; they are sorted in place.</param>
    public void Add(Span<ArchiveKey> keys)
    {
        keys.Sort();
        using var writer = Begin(out var path);
        foreach (ref readonly var key in keys) writer.Add(key);
        Install(writer.Finish(path, _next++, 0), []);
    }

    /// <summary>Merges until no four runs have been merged equally often.</summary>
    public void MergeDue()
    {
        while (Due() is { } runs) Merge(runs);
    }

    public void Sync()
    {
        foreach (var run in _unsynced) run.Sync();
        _unsynced.Clear();
    }

    /// <summary>Deletes the files of runs that are in neither list.</summary>
    public void DeleteAllBut(IReadOnlyCollection<uint> kept)
    {
        var known = _runs.Select(run => run.Name.Number).Concat(kept).ToHashSet();
        foreach (var file in disk.List(folder))
        {
            if (file.StartsWith(Prefix, StringComparison.Ordinal) && file.EndsWith(Suffix, StringComparison.Ordinal)
                && uint.TryParse(file.AsSpan(Prefix.Length, file.Length - Prefix.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && !known.Contains(number)) disk.Delete(Path.Combine(folder, file));
        }
    }

    public void Close()
    {
        foreach (var run in _runs) run.Close();
    }

    private string PathOf(uint number) => Path.Combine(folder, Prefix + number.ToString("D8", CultureInfo.InvariantCulture) + Suffix);

    private KeyRunWriter Begin(out string path) => new(disk, path = PathOf(_next));

    // Files that are merged away stay open for whoever reads them now; their handles are closed when nobody holds them.
    private void Install(KeyRun run, KeyRun[] instead)
    {
        _unsynced.RemoveAll(instead.Contains);
        _unsynced.Add(run);
        _runs = [run, .. _runs.Except(instead)];
    }

    private KeyRun[]? Due() => _runs.GroupBy(run => run.Name.Level).Where(level => level.Count() >= MergedAtOnce).MinBy(level => level.Key)?.ToArray();

    private void Merge(KeyRun[] runs)
    {
        using var writer = Begin(out var path);
        foreach (var key in KeyMerge.Of(runs)) writer.Add(key);
        Install(writer.Finish(path, _next++, (byte)(runs[0].Name.Level + 1)), runs);
    }
}
