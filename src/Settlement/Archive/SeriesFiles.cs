using System.Buffers.Binary;
using System.Globalization;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// Numbered files that grow at their end. How far they are valid is the snapshot's word: what lies behind it is
/// overwritten. Each begins with 64 bytes, little-endian:
/// <code>
/// 0  "OGE archive v1" padded with zero bytes to 16
/// 16 u32 bytes per record (1: free lengths)   20 u32 file number   24 zero   60 u32 CRC32C over bytes 0..60
/// </code>
/// One thread appends and syncs; any thread reads what was appended before. Files stay open: one per million statements.
/// </summary>
internal sealed class SeriesFiles(IDisk disk, string folder, string name, int recordSize) : IDisposable
{
    public const int HeaderSize = 64;

    private readonly Lock _gate = new(); // guards what follows
    private readonly Dictionary<uint, IDiskFile> _open = [];
    private readonly HashSet<uint> _unsynced = [];

    private static ReadOnlySpan<byte> Tag => "OGE archive v1\0\0"u8;

    private static ReadOnlySpan<byte> Family => "OGE archive v"u8;

    public void Append(uint number, ReadOnlySpan<byte> bytes, long offset)
    {
        IDiskFile file;
        lock (_gate)
        {
            if (!_open.TryGetValue(number, out file!)) _open[number] = file = offset == HeaderSize ? Create(number) : Open(number);
            _unsynced.Add(number);
        }

        file.Write(bytes, offset);
    }

    public void Read(uint number, Span<byte> destination, long offset)
    {
        IDiskFile file;
        lock (_gate)
            if (!_open.TryGetValue(number, out file!)) _open[number] = file = Open(number);
        if (file.Read(destination, offset) != destination.Length) throw ArchiveDamagedException.At(PathOf(number), $"it ends before byte {offset + destination.Length}");
    }

    /// <summary>Makes durable what was appended; the names are durable after the caller has synced the folder.</summary>
    public void Sync()
    {
        lock (_gate)
        {
            foreach (var number in _unsynced) _open[number].Sync();
            _unsynced.Clear();
        }
    }

    public string PathOf(uint number) => Path.Combine(folder, $"{name}-{number.ToString("D8", CultureInfo.InvariantCulture)}.dat");

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var file in _open.Values) file.Dispose();
            _open.Clear();
        }
    }

    private IDiskFile Create(uint number)
    {
        var file = disk.Open(PathOf(number), create: true);
        file.Truncate(0); // a longer one may be left from a life that ended before its snapshot
        file.Write(Header(number), 0);
        return file;
    }

    private IDiskFile Open(uint number)
    {
        var path = PathOf(number);
        if (!disk.Exists(path)) throw ArchiveDamagedException.At(path, "the file is missing");
        var file = disk.Open(path, create: false);
        Span<byte> header = stackalloc byte[HeaderSize];
        var read = file.Read(header, 0);
        if (read == HeaderSize && header.SequenceEqual(Header(number))) return file;
        file.Dispose();
        if (header.StartsWith(Family) && !header.StartsWith(Tag)) throw new ArchiveDamagedException($"{path} has another format version; use the release that wrote it or a newer one");
        throw ArchiveDamagedException.At(path, "its header is damaged");
    }

    private byte[] Header(uint number)
    {
        var bytes = new byte[HeaderSize];
        Tag.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), recordSize);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), number);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), Crc.Finish(Crc.Add(Crc.Start(0), bytes.AsSpan(0, 60))));
        return bytes;
    }
}
