using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>
/// Proofs from the published tiles of a log at one size, as any reader of C2SP tlog-tiles makes them. What the tiles say is
/// not checked: a wrong tile gives a proof that does not verify. Used by one caller at a time.
/// </summary>
public sealed class PublishedTree(ILogFiles files, ulong size)
{
    private readonly Dictionary<(int Level, ulong Index), Hash256[]> _tiles = [];

    public ulong Size => size;

    /// <exception cref="LogUnreachableException">A tile that this size needs is not there.</exception>
    public async Task<Hash256> RootAsync(CancellationToken cancellationToken) =>
        size == 0 ? MerkleTree.EmptyRoot : await SubtreeAsync(0, size, cancellationToken).ConfigureAwait(false);

    /// <summary>Siblings from leaf to root.</summary>
    /// <exception cref="LogUnreachableException">A tile that this size needs is not there.</exception>
    public Task<Hash256[]> InclusionPathAsync(ulong index, CancellationToken cancellationToken) => HashesAsync(ProofWalk.Inclusion(index, size), cancellationToken);

    /// <summary>That the first <paramref name="oldSize"/> leaves are a prefix.</summary>
    /// <exception cref="LogUnreachableException">A tile that this size needs is not there.</exception>
    public Task<Hash256[]> ConsistencyProofAsync(ulong oldSize, CancellationToken cancellationToken) => HashesAsync(ProofWalk.Consistency(oldSize, size), cancellationToken);

    private async Task<Hash256[]> HashesAsync(List<(ulong Low, ulong High)> ranges, CancellationToken cancellationToken)
    {
        var hashes = new Hash256[ranges.Count];
        for (var i = 0; i < hashes.Length; i++) hashes[i] = await SubtreeAsync(ranges[i].Low, ranges[i].High, cancellationToken).ConfigureAwait(false);
        return hashes;
    }

    private async Task<Hash256> SubtreeAsync(ulong low, ulong high, CancellationToken cancellationToken)
    {
        var nodes = ProofWalk.Nodes(low, high);
        var root = await NodeAsync(nodes[^1], cancellationToken).ConfigureAwait(false);
        for (var i = nodes.Count - 2; i >= 0; i--) root = MerkleTree.NodeHash(await NodeAsync(nodes[i], cancellationToken).ConfigureAwait(false), root);
        return root;
    }

    private async Task<Hash256> NodeAsync((int Level, ulong Index) node, CancellationToken cancellationToken)
    {
        var (level, inside) = (node.Level / 8, node.Level % 8);
        var first = node.Index << inside;
        var tile = await TileAsync(level, first / TilePath.Width, cancellationToken).ConfigureAwait(false);
        return MerkleTree.Root(tile.AsSpan((int)(first % TilePath.Width), 1 << inside));
    }

    private async Task<Hash256[]> TileAsync(int level, ulong index, CancellationToken cancellationToken)
    {
        if (_tiles.TryGetValue((level, index), out var known)) return known;
        var hashesAtLevel = size >> (8 * level);
        var width = (int)Math.Min(TilePath.Width, hashesAtLevel - (index * TilePath.Width));
        var path = TilePath.Tile(level, index, width);
        var bytes = await files.ReadAsync(path, TilePath.Width * Hash256.Size, cancellationToken).ConfigureAwait(false);
        // A partial tile may be gone once the full one is there.
        if (bytes is null && width < TilePath.Width)
            bytes = await files.ReadAsync(TilePath.Tile(level, index, TilePath.Width), TilePath.Width * Hash256.Size, cancellationToken).ConfigureAwait(false);
        if (bytes is null || bytes.Length < width * Hash256.Size) throw new LogUnreachableException($"{files.NameOf(path)} is missing or cut, though a checkpoint of size {size} needs it");
        return _tiles[(level, index)] = MemoryMarshal.Cast<byte, Hash256>(bytes.AsSpan(0, width * Hash256.Size)).ToArray();
    }
}
