using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>
/// Builds the tree again, leaf by leaf, and compares every published tile with it. Holds the right edge in memory and the
/// leaves of the newest bundle.
/// </summary>
/// <param name="published">Leaves under the published checkpoint: what must be there.</param>
internal sealed class TileAudit(ILogFiles files, ulong published, AuditReport report) : IFullTileReader
{
    private TileTree? _tree;

    public TileTree Tree => _tree ??= new TileTree(this);

    public async Task AppendAsync(Hash256 leaf, CancellationToken cancellationToken)
    {
        Tree.Append(leaf);
        report.Leaves = Tree.Size;
        if (Tree.Size % TilePath.Width != 0) return;
        foreach (var ((level, index), hashes) in Tree.Unstored.OrderBy(tile => tile.Key.Level).ToArray())
        {
            var ends = (index + 1) << (8 * (level + 1));
            if (await CompareAsync(level, index, hashes, ends <= published, cancellationToken).ConfigureAwait(false)) Tree.MarkStored(level, index);
        }
    }

    /// <summary>Compares the partial tiles, after the last leaf.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        foreach (var (level, index, hashes) in Tree.EdgeAt(Tree.Size)) await PartialsAsync(level, index, hashes, cancellationToken).ConfigureAwait(false);
        foreach (var (level, index, hashes) in Tree.EdgeAt(published))
        {
            var path = TilePath.Tile(level, index, hashes.Length);
            if (await ReadAsync(path, cancellationToken).ConfigureAwait(false) is { } bytes)
            {
                Equal(path, bytes, hashes);
                report.Tiles++;
            }
            else if (await ReadAsync(TilePath.Tile(level, index, TilePath.Width), cancellationToken).ConfigureAwait(false) is null)
            {
                report.Missing ??= new(files.NameOf(path), 0, $"the partial tile of the published checkpoint of size {published} is expected ({hashes.Length * Hash256.Size} bytes); the file is missing");
            }
        }
    }

    // A tile that was compared and let go is read again: it is what it was compared with.
    Hash256[] IFullTileReader.ReadFullTile(int level, ulong index)
    {
        var bytes = ReadAsync(TilePath.Tile(level, index, TilePath.Width), CancellationToken.None).GetAwaiter().GetResult();
        return bytes?.Length == TilePath.Width * Hash256.Size
            ? MemoryMarshal.Cast<byte, Hash256>(bytes).ToArray()
            : throw new AuditStoppedException(files.NameOf(TilePath.Tile(level, index, TilePath.Width)), 0, "a tile that was whole a moment ago is missing or cut");
    }

    private async Task<bool> CompareAsync(int level, ulong index, Hash256[] hashes, bool required, CancellationToken cancellationToken)
    {
        var path = TilePath.Tile(level, index, TilePath.Width);
        await PartialsAsync(level, index, hashes, cancellationToken).ConfigureAwait(false);
        if (await ReadAsync(path, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            if (required) report.Missing ??= new(files.NameOf(path), 0, $"a full tile of {TilePath.Width * Hash256.Size} bytes is expected; the file is missing");
            return false;
        }

        Equal(path, bytes, hashes);
        report.Tiles++;
        return true;
    }

    // Partial files of earlier checkpoints, as far as they can be listed.
    private async Task PartialsAsync(int level, ulong index, Hash256[] hashes, CancellationToken cancellationToken)
    {
        foreach (var width in files.PartialWidths(TilePath.Tile(level, index, TilePath.Width)))
        {
            var path = TilePath.Tile(level, index, width);
            if (width > hashes.Length) throw new AuditStoppedException(files.NameOf(path), hashes.Length * Hash256.Size, $"the log has only {hashes.Length} hashes of this tile");
            if (await ReadAsync(path, cancellationToken).ConfigureAwait(false) is not { } bytes) continue; // dropped meanwhile, for the full one is there
            Equal(path, bytes, hashes.AsSpan(0, width));
            report.Tiles++;
        }
    }

    private void Equal(string path, byte[] bytes, ReadOnlySpan<Hash256> hashes)
    {
        var expected = MemoryMarshal.AsBytes(hashes);
        var at = bytes.AsSpan().CommonPrefixLength(expected);
        if (at == bytes.Length && at == expected.Length) return;
        throw new AuditStoppedException(files.NameOf(path), at, at == bytes.Length ? $"{expected.Length} bytes expected, {bytes.Length} are there"
            : at == expected.Length ? $"the end of the file expected after {at} bytes, {bytes.Length} are there"
            : $"0x{expected[at]:x2} expected, 0x{bytes[at]:x2} is there (byte {at % Hash256.Size} of hash {at / Hash256.Size})");
    }

    private Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => files.ReadAsync(path, TilePath.Width * Hash256.Size, cancellationToken);
}

/// <summary>Reads entry bundles: u16 length and entry, again and again.</summary>
internal static class EntryBundle
{
    public const int MaxSize = TilePath.Width * (2 + ushort.MaxValue);

    /// <summary>The entries with their offsets; stops at the first length that does not fit.</summary>
    public static List<(int Offset, ReadOnlyMemory<byte> Entry)> Read(ReadOnlyMemory<byte> bundle)
    {
        var entries = new List<(int, ReadOnlyMemory<byte>)>();
        for (var at = 0; bundle.Length - at >= 2;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bundle.Span[at..]);
            if (length > bundle.Length - at - 2) break;
            entries.Add((at + 2, bundle.Slice(at + 2, length)));
            at += 2 + length;
        }

        return entries;
    }

    public static byte[] Write(IEnumerable<byte[]> entries)
    {
        var bytes = new List<byte>();
        foreach (var entry in entries) bytes.AddRange([(byte)(entry.Length >> 8), (byte)entry.Length, .. entry]);
        return [.. bytes];
    }
}
