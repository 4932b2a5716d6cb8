using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class MerkleInclusionTests
{
    private const int Largest = 130;

    [Fact]
    public void Root_EverySizeTo130_IsTheRecursiveDefinition()
    {
        for (var size = 0; size <= Largest; size++)
        {
            var entries = NaiveMerkle.Entries(size);
            Assert.Equal(new Hash256(NaiveMerkle.Root(entries)), MerkleTree.Root(NaiveMerkle.LeafHashes(entries)));
        }
    }

    [Fact]
    public void InclusionPath_EveryLeafOfEverySizeTo130_IsTheRecursiveDefinitionAndLeadsToTheRoot()
    {
        for (var size = 1; size <= Largest; size += size < 40 ? 1 : 9)
        {
            var entries = NaiveMerkle.Entries(size);
            var leaves = NaiveMerkle.LeafHashes(entries);
            var root = MerkleTree.Root(leaves);
            for (var index = 0; index < size; index++)
            {
                var path = MerkleTree.InclusionPath(leaves, index);
                Assert.Equal(NaiveMerkle.Hashes(NaiveMerkle.Path(index, entries)), path);
                Assert.Equal(path.Length, MerkleTree.PathLength((ulong)index, (ulong)size));
                Assert.Equal(root, MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, path));
            }
        }
    }

    [Fact]
    public void InclusionPath_EveryLeafOfEverySizeTo130_LeadsToTheRoot()
    {
        for (var size = 1; size <= Largest; size++)
        {
            var leaves = NaiveMerkle.LeafHashes(NaiveMerkle.Entries(size));
            var root = MerkleTree.Root(leaves);
            for (var index = 0; index < size; index++)
                Assert.Equal(root, MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, MerkleTree.InclusionPath(leaves, index)));
        }
    }

    [Fact]
    public void RootFromPath_AnyOtherIndexSizeOrHash_IsNotTheRoot()
    {
        for (var size = 1; size <= 33; size++)
        {
            var leaves = NaiveMerkle.LeafHashes(NaiveMerkle.Entries(size));
            var root = MerkleTree.Root(leaves);
            for (var index = 0; index < size; index++)
            {
                var path = MerkleTree.InclusionPath(leaves, index);
                for (var other = 0; other < size; other++)
                    if (other != index) Assert.NotEqual(root, MerkleTree.RootFromPath(leaves[index], (ulong)other, (ulong)size, path));
                for (var at = 0; at < path.Length; at++)
                    Assert.NotEqual(root, MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, Tampered(path, at)));
            }
        }
    }

    [Fact]
    public void RootFromPath_LongerShorterOrReorderedPath_IsRefused()
    {
        for (var size = 2; size <= 33; size++)
        {
            var leaves = NaiveMerkle.LeafHashes(NaiveMerkle.Entries(size));
            for (var index = 0; index < size; index++)
            {
                var path = MerkleTree.InclusionPath(leaves, index);
                Assert.Null(MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, path.AsSpan(1)));
                Assert.Null(MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, [.. path, leaves[0]]));
                Assert.Null(MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, []));
                if (path.Length > 1)
                    Assert.NotEqual(MerkleTree.Root(leaves), MerkleTree.RootFromPath(leaves[index], (ulong)index, (ulong)size, [.. path.Reverse()]));
            }
        }
    }

    [Theory]
    [InlineData(0UL, 0UL), InlineData(1UL, 1UL), InlineData(8UL, 8UL), InlineData(ulong.MaxValue, ulong.MaxValue)]
    public void RootFromPath_IndexBeyondTheTree_IsRefused(ulong index, ulong size) =>
        Assert.Null(MerkleTree.RootFromPath(Hash256.Zero, index, size, new Hash256[MerkleTree.PathLength(index, size)]));

    [Theory]
    [InlineData(0UL, ulong.MaxValue, 64)]
    [InlineData(ulong.MaxValue - 1, ulong.MaxValue, 63)]
    [InlineData(0UL, (1UL << 63) + 1, 64)]
    [InlineData(1UL << 63, (1UL << 63) + 1, 1)]
    [InlineData(0UL, 1UL << 63, 63)]
    public void PathLength_LargestTrees_DoesNotOverflow(ulong index, ulong size, int expected)
    {
        Assert.Equal(expected, MerkleTree.PathLength(index, size));
        Assert.NotNull(MerkleTree.RootFromPath(Hash256.Zero, index, size, new Hash256[expected]));
        Assert.Null(MerkleTree.RootFromPath(Hash256.Zero, index, size, new Hash256[expected - 1]));
    }

    [Fact]
    public void LeafHash_OfTwoJoinedHashes_IsNotTheirNode()
    {
        Hash256 left = Hash256.Sha256([1]), right = Hash256.Sha256([2]);
        Assert.NotEqual(MerkleTree.NodeHash(left, right), MerkleTree.LeafHash([.. left.Bytes, .. right.Bytes]));
    }

    [Theory]
    [InlineData(0), InlineData(5)]
    public void InclusionPath_LeafThatIsNotThere_Throws(int index) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleTree.InclusionPath(new Hash256[index], index));

    private static Hash256[] Tampered(Hash256[] path, int at)
    {
        var bytes = path[at].ToArray();
        bytes[at % 32] ^= 0x80;
        Hash256[] copy = [.. path];
        copy[at] = new Hash256(bytes);
        return copy;
    }
}
