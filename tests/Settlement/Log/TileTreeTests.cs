using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.Log;

/// <summary>The tiled tree against RFC 6962's definitions written down naively.</summary>
public sealed class TileTreeTests
{
    private static readonly Hash256[] Leaves = [.. Enumerable.Range(0, 66_000).Select(n => MerkleTree.LeafHash(BitConverter.GetBytes(n)))];

    [Fact]
    public void Tree_EverySizeUpTo600_HasTheNaiveRoot()
    {
        var tree = new TileTree(new NoTiles());
        Assert.Equal(MerkleTree.EmptyRoot, tree.Root);
        for (var size = 1; size <= 600; size++)
        {
            tree.Append(Leaves[size - 1]);
            Assert.Equal(NaiveRoot(Leaves.AsSpan(0, size)), tree.Root);
        }

        for (var size = 1; size <= 600; size += 7) Assert.Equal(NaiveRoot(Leaves.AsSpan(0, size)), tree.RootAt((ulong)size));
    }

    [Fact]
    public void Proofs_ManySizes_EqualTheNaiveOnesAndVerify()
    {
        var tree = new TileTree(new NoTiles());
        foreach (var leaf in Leaves.AsSpan(0, 300)) tree.Append(leaf);
        foreach (var size in new[] { 1, 2, 3, 7, 8, 9, 255, 256, 257, 299, 300 })
        {
            var root = tree.RootAt((ulong)size);
            for (var index = 0; index < size; index += 1 + size / 40)
            {
                var path = tree.InclusionPath((ulong)index, (ulong)size);
                Assert.Equal(NaivePath(index, Leaves.AsSpan(0, size)), path);
                Assert.Equal(root, MerkleTree.RootFromPath(Leaves[index], (ulong)index, (ulong)size, path));
            }

            for (var old = 0; old <= size; old += 1 + size / 40)
                Assert.True(MerkleTree.VerifyConsistency((ulong)old, tree.RootAt((ulong)old), (ulong)size, root, tree.ConsistencyProof((ulong)old, (ulong)size)), $"{old} to {size}");
        }
    }

    [Fact]
    public void Tree_ThreeTileLevelsStoredOnDisk_ProvesFromTilesAlone()
    {
        var disk = new SimulatedDisk(1);
        var store = new TileStore(disk, "/log");
        var tree = new TileTree(store);
        foreach (var leaf in Leaves) tree.Append(leaf);
        new LogPublisher(store).StoreFullTiles([.. tree.Unstored]);
        foreach (var (tile, _) in tree.Unstored.ToArray()) tree.MarkStored(tile.Level, tile.Index);
        Assert.Empty(tree.Unstored);
        Assert.True(disk.Exists("/log/tile/1/000"));

        var root = MerkleTree.Root(Leaves);
        Assert.Equal(root, tree.Root);
        foreach (var index in new ulong[] { 0, 255, 256, 32_767, 65_535, 65_536, 65_999 })
            Assert.Equal(root, MerkleTree.RootFromPath(Leaves[index], index, (ulong)Leaves.Length, tree.InclusionPath(index, (ulong)Leaves.Length)));
        Assert.True(MerkleTree.VerifyConsistency(40_000, MerkleTree.Root(Leaves.AsSpan(0, 40_000)), 66_000, root, tree.ConsistencyProof(40_000, 66_000)));
    }

    [Theory]
    [InlineData(0, 0UL, 256, "tile/0/000")]
    [InlineData(1, 999UL, 3, "tile/1/999.p/3")]
    [InlineData(0, 1234067UL, 256, "tile/0/x001/x234/067")]
    public void TilePath_C2spExamples_AreFollowed(int level, ulong index, int width, string path) => Assert.Equal(path, TilePath.Tile(level, index, width));

    [Fact]
    public void Publisher_OtherJournalThanPublished_IsRefused()
    {
        var store = new TileStore(new SimulatedDisk(1), "/log");
        var publisher = new LogPublisher(store);
        var tree = new TileTree(store);
        foreach (var leaf in Leaves.AsSpan(0, 10)) tree.Append(leaf);
        var note = System.Text.Encoding.UTF8.GetBytes($"origin\n10\n{Convert.ToBase64String(tree.Root.Bytes)}\n\n\u2014 origin AAAAAAAA\n");
        publisher.StoreEdge(10, 10, tree.EdgeAt(10), index => new byte[] { (byte)index });
        publisher.StoreCheckpoint(note);
        publisher.CheckAgainst(tree);

        var shorter = new TileTree(store);
        foreach (var leaf in Leaves.AsSpan(0, 9)) shorter.Append(leaf);
        Assert.Contains("the outbox was truncated", Assert.Throws<LogDamagedException>(() => publisher.CheckAgainst(shorter)).Message, StringComparison.Ordinal);
        var other = new TileTree(store);
        foreach (var leaf in Leaves.AsSpan(1, 10)) other.Append(leaf);
        Assert.Contains("another root", Assert.Throws<LogDamagedException>(() => publisher.CheckAgainst(other)).Message, StringComparison.Ordinal);
        Assert.Equal(10 * 32, store.Read("tile/0/000.p/10", 10_000)!.Length);
        Assert.Equal(10 * 3, store.Read("tile/entries/000.p/10", 10_000)!.Length);
    }

    // RFC 6962 §2.1, word for word.
    private static Hash256 NaiveRoot(ReadOnlySpan<Hash256> leaves)
    {
        if (leaves.Length == 1) return leaves[0];
        var k = Split(leaves.Length);
        return MerkleTree.NodeHash(NaiveRoot(leaves[..k]), NaiveRoot(leaves[k..]));
    }

    private static Hash256[] NaivePath(int index, ReadOnlySpan<Hash256> leaves)
    {
        if (leaves.Length == 1) return [];
        var k = Split(leaves.Length);
        return index < k ? [.. NaivePath(index, leaves[..k]), NaiveRoot(leaves[k..])] : [.. NaivePath(index - k, leaves[k..]), NaiveRoot(leaves[..k])];
    }

    private static int Split(int count)
    {
        var k = 1;
        while (2 * k < count) k *= 2;
        return k;
    }

    private sealed class NoTiles : IFullTileReader
    {
        public Hash256[] ReadFullTile(int level, ulong index) => throw new InvalidOperationException("no tile should be read");
    }
}
