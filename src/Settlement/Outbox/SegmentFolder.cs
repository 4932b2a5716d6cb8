using System.Globalization;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Names, creation and reading of segment files.</summary>
internal sealed class SegmentFolder(IDisk disk, string folder)
{
    private const string Prefix = "outbox-";
    private const string Suffix = ".seg";

    private uint? _floor; // read once; written by whoever prunes

    public string PathOf(uint number) => Path.Combine(folder, Prefix + number.ToString("D8", CultureInfo.InvariantCulture) + Suffix);

    /// <summary>The first segment that must be there: earlier ones may have been pruned. 1 as long as nothing was.</summary>
    public uint Floor => _floor ??= PruneMark.Read(disk, folder);

    /// <summary>Segments below this number may go from now on. Durable when it returns.</summary>
    public void RaiseFloor(uint floor)
    {
        PruneMark.Write(disk, folder, floor);
        _floor = floor;
    }

    /// <summary>Null for files that are no segments.</summary>
    public static uint? NumberOf(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
        && uint.TryParse(name.AsSpan(Prefix.Length, name.Length - Prefix.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public bool Exists(uint number) => disk.Exists(PathOf(number));

    public void Delete(uint number) => disk.Delete(PathOf(number));

    /// <summary>The numbers that must be present, ascending and without a gap. Half-made segments of a crashed roll are removed.</summary>
    public List<uint> Numbers()
    {
        var floor = Floor;
        var numbers = new List<uint>();
        foreach (var name in disk.List(folder))
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            if (name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal)) disk.Delete(Path.Combine(folder, name));
            else if (NumberOf(name) is { } number && number >= floor) numbers.Add(number);
        }

        numbers.Sort();
        for (var i = 0; i < numbers.Count; i++)
            if (numbers[i] != floor + i) throw new OutboxDamagedException(new((uint)(floor + i), 0), "the segment's file is missing");
        if (numbers.Count == 0 && floor > 1) throw new OutboxDamagedException(new(floor, 0), "the segment's file is missing");
        return numbers;
    }

    /// <summary>Creates a segment in full before it gets its name: a crash leaves either none or a valid empty one.</summary>
    public IDiskFile Create(SegmentHeader header, int size)
    {
        var path = PathOf(header.Number);
        var beside = path + AtomicFile.TemporarySuffix;
        var file = disk.Open(beside, create: true);
        try
        {
            file.Truncate(0);
            file.Allocate(size);
            file.Write(header.Encode(), 0);
            file.Sync();
            disk.Rename(beside, path);
            disk.SyncFolder(folder);
            return file;
        }
        catch (DiskException failure)
        {
            file.Dispose();
            if (failure.IsFull) disk.Delete(beside);
            throw;
        }
    }

    public IDiskFile Open(uint number) => disk.Open(PathOf(number), create: false);
}
