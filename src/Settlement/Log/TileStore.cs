using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>
/// The published files of a log, as C2SP tlog-tiles lays them out. Every file is whole or absent; each is written once,
/// the checkpoint last, so a reader who sees a checkpoint finds its tiles. All of it can be rebuilt from the journal.
/// Safe for concurrent calls except that only one thread writes.
/// </summary>
public sealed class TileStore(IDisk disk, string folder) : IFullTileReader
{
    private const int CachedTiles = 256; // 2 MiB: the upper levels and the newest tiles, which every proof touches

    private readonly Lock _gate = new();
    private readonly Dictionary<(int, ulong), Hash256[]> _cache = [];

    public string Folder => folder;

    public Hash256[] ReadFullTile(int level, ulong index)
    {
        lock (_gate)
            if (_cache.TryGetValue((level, index), out var cached)) return cached;
        var bytes = Read(TilePath.Tile(level, index, TilePath.Width), TilePath.Width * Hash256.Size);
        if (bytes?.Length != TilePath.Width * Hash256.Size)
            throw new LogDamagedException($"tile {level}/{index} is missing or cut; delete the folder {folder}: it is rebuilt from the outbox at the next start");
        var hashes = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, Hash256>(bytes).ToArray();
        lock (_gate)
        {
            if (_cache.Count >= CachedTiles) _cache.Clear();
            _cache[(level, index)] = hashes;
        }

        return hashes;
    }

    /// <summary>The file's bytes, or null when it is absent.</summary>
    public byte[]? Read(string relativePath, int limit) => AtomicFile.Read(disk, Path.Combine(folder, relativePath), limit);

    public bool Has(string relativePath) => disk.Exists(Path.Combine(folder, relativePath));

    /// <summary>This full tile, with exactly these hashes, is on disk.</summary>
    internal bool HasFullTile(int level, ulong index, Hash256[] hashes) =>
        Read(TilePath.Tile(level, index, TilePath.Width), TilePath.Width * Hash256.Size) is { } present && System.Runtime.InteropServices.MemoryMarshal.AsBytes<Hash256>(hashes).SequenceEqual(present);

    public void WriteTile(int level, ulong index, ReadOnlySpan<Hash256> hashes) =>
        Write(TilePath.Tile(level, index, hashes.Length), System.Runtime.InteropServices.MemoryMarshal.AsBytes(hashes));

    /// <summary>Entries of a bundle, each behind its u16 length.</summary>
    public void WriteEntries(ulong index, IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var bytes = new byte[entries.Sum(entry => 2 + entry.Length)];
        var at = 0;
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at), checked((ushort)entry.Length));
            entry.Span.CopyTo(bytes.AsSpan(at + 2));
            at += 2 + entry.Length;
        }

        Write(TilePath.Entries(index, entries.Count), bytes);
    }

    public void Write(string relativePath, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(folder, relativePath);
        var parent = Path.GetDirectoryName(path)!;
        disk.CreateFolder(parent);
        AtomicFile.Write(disk, path, content);
        disk.SyncFolder(parent);
    }

    /// <summary>Deletes the partial files of a tile or bundle whose full one is stored (C2SP allows it then).</summary>
    public void DropPartials(string fullRelativePath)
    {
        var parts = Path.Combine(folder, fullRelativePath + ".p");
        foreach (var name in disk.List(parts)) disk.Delete(Path.Combine(parts, name));
    }
}
