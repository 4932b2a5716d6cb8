using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Byte strings of any length up to a file's, found by the place that appending gave. Whoever keeps the place keeps length and checksum.</summary>
internal sealed class BlobSeries(IDisk disk, string folder, string name) : IDisposable
{
    private const ulong PerFile = 1UL << 30; // the header's place included, so that a place is a file and an offset in it

    private readonly SeriesFiles _files = new(disk, folder, name, 1);

    /// <summary>Where the next one goes; the snapshot's word after a restart.</summary>
    public ulong End { get; set; } = SeriesFiles.HeaderSize;

    public ulong Append(ReadOnlySpan<byte> bytes)
    {
        if ((End % PerFile) + (ulong)bytes.Length > PerFile) End = (((End / PerFile) + 1) * PerFile) + SeriesFiles.HeaderSize;
        var at = End;
        _files.Append((uint)(at / PerFile), bytes, (long)(at % PerFile));
        End = at + (ulong)bytes.Length;
        return at;
    }

    public byte[] Read(ulong place, int length)
    {
        var bytes = new byte[length];
        _files.Read((uint)(place / PerFile), bytes, (long)(place % PerFile));
        return bytes;
    }

    public string PathOf(ulong place) => _files.PathOf((uint)(place / PerFile));

    public void Sync() => _files.Sync();

    public void Dispose() => _files.Dispose();
}
