using System.Numerics;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>Gives back the 256 hashes of a full tile that the tree no longer holds.</summary>
public interface IFullTileReader
{
    Hash256[] ReadFullTile(int level, ulong index);
}

/// <summary>
/// The append-only RFC 6962 tree as tiles. Holds the right edge in memory, and full tiles only until they are stored.
/// Not safe for concurrent use: its owner's lock guards it.
/// </summary>
public sealed class TileTree(IFullTileReader stored)
{
    private readonly List<List<Hash256>> _edge = []; // by tile level: what no full tile holds yet
    private readonly Dictionary<(int Level, ulong Index), Hash256[]> _unstored = [];

    public ulong Size { get; private set; }

    public Hash256 Root => RootAt(Size);

    public void Append(in Hash256 leaf)
    {
        Size++;
        AppendAt(0, leaf);
    }

    /// <summary>The root of the first <paramref name="size"/> leaves.</summary>
    public Hash256 RootAt(ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
        return size == 0 ? MerkleTree.EmptyRoot : Subtree(0, size);
    }

    /// <summary>Siblings from leaf to root within the first <paramref name="size"/> leaves (RFC 6962 §2.1.1).</summary>
    public Hash256[] InclusionPath(ulong index, ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
        return [.. ProofWalk.Inclusion(index, size).Select(range => Subtree(range.Low, range.High))];
    }

    /// <summary>The proof that the first <paramref name="oldSize"/> leaves are a prefix of the first <paramref name="newSize"/> (RFC 6962 §2.1.2).</summary>
    public Hash256[] ConsistencyProof(ulong oldSize, ulong newSize)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(newSize, Size);
        return [.. ProofWalk.Consistency(oldSize, newSize).Select(range => Subtree(range.Low, range.High))];
    }

    /// <summary>Full tiles that are not known to be stored.</summary>
    public IReadOnlyCollection<KeyValuePair<(int Level, ulong Index), Hash256[]>> Unstored => _unstored;

    /// <summary>The owner has made this full tile durable: it may leave memory.</summary>
    public void MarkStored(int level, ulong index) => _unstored.Remove((level, index));

    /// <summary>The partial tiles at the right edge of the first <paramref name="size"/> leaves: level, index and hashes.</summary>
    public List<(int Level, ulong Index, Hash256[] Hashes)> EdgeAt(ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
        var edge = new List<(int, ulong, Hash256[])>();
        for (var level = 0; size > 0; level++, size /= TilePath.Width)
        {
            var width = (int)(size % TilePath.Width);
            if (width > 0) edge.Add((level, size / TilePath.Width, Tile(level, size / TilePath.Width)[..width].ToArray()));
        }

        return edge;
    }

    /// <summary>A copy of what is in memory that does not grow: for proofs and snapshots beside the owner's lock.</summary>
    public TileTree Freeze() => Restore(stored, Size, Edge, _unstored);

    /// <summary>Hashes at the right edge by tile level, fewer than 256 each.</summary>
    internal IEnumerable<IReadOnlyList<Hash256>> Edge => _edge;

    internal static TileTree Restore(
        IFullTileReader stored, ulong size, IEnumerable<IReadOnlyList<Hash256>> edge, IEnumerable<KeyValuePair<(int Level, ulong Index), Hash256[]>> unstored)
    {
        var tree = new TileTree(stored) { Size = size };
        foreach (var hashes in edge) tree._edge.Add([.. hashes]);
        foreach (var (tile, hashes) in unstored) tree._unstored.Add(tile, hashes);
        return tree;
    }

    private void AppendAt(int level, in Hash256 hash)
    {
        if (level == _edge.Count) _edge.Add(new(TilePath.Width));
        var edge = _edge[level];
        edge.Add(hash);
        if (edge.Count < TilePath.Width) return;
        var full = edge.ToArray();
        edge.Clear();
        _unstored[(level, EdgeIndex(level) - 1)] = full;
        AppendAt(level + 1, MerkleTree.Root(full));
    }

    // Full tiles of this level so far; after a tile was just completed its own number is one less.
    private ulong EdgeIndex(int level) => Size >> (8 * (level + 1));

    private Hash256 Subtree(ulong low, ulong high)
    {
        var size = high - low;
        if (BitOperations.IsPow2(size)) return Node(BitOperations.TrailingZeroCount(size), low / size);
        var middle = low + ProofWalk.Split(size);
        return MerkleTree.NodeHash(Subtree(low, middle), Subtree(middle, high));
    }

    private Hash256 Node(int level, ulong index)
    {
        var (tileLevel, inside) = (level / 8, level % 8);
        var first = index << inside;
        var tile = Tile(tileLevel, first / TilePath.Width);
        return MerkleTree.Root(tile.Slice((int)(first % TilePath.Width), 1 << inside));
    }

    private ReadOnlySpan<Hash256> Tile(int level, ulong index)
    {
        if (index == EdgeIndex(level)) return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_edge[level]);
        return _unstored.TryGetValue((level, index), out var full) ? full : stored.ReadFullTile(level, index);
    }
}
