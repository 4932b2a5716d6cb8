using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class RowTreeTests
{
    [Fact]
    public void Path_EveryLeafOfEverySizeTo130_IsTheMerklePath()
    {
        for (var size = 1; size <= 130; size++)
        {
            var leaves = NaiveMerkle.LeafHashes(NaiveMerkle.Entries(size));
            var tree = Build(leaves);
            Assert.Equal(tree.Length, RowTree.NodeCount(size) * Hash256.Size);
            Assert.Equal(MerkleTree.Root(leaves), new Hash256(tree.AsSpan(tree.Length - Hash256.Size)));
            for (var index = 0; index < size; index++)
                Assert.Equal(MerkleTree.InclusionPath(leaves, index), RowTree.Path(tree, size, index));
        }
    }

    [Theory]
    [InlineData(1, 1), InlineData(2, 3), InlineData(3, 6), InlineData(4, 7), InlineData(5, 11), InlineData(65_536, 131_071)]
    public void NodeCount_KnownSizes_CountsPassedHashesToo(int leaves, int expected) => Assert.Equal(expected, RowTree.NodeCount(leaves));

    /// <summary>The layout as its documentation words it: levels one after the other, an odd last hash stored again above.</summary>
    internal static byte[] Build(Hash256[] leaves)
    {
        var levels = new List<Hash256[]> { leaves };
        while (levels[^1].Length > 1)
            levels.Add([.. levels[^1].Chunk(2).Select(pair => pair.Length == 2 ? MerkleTree.NodeHash(pair[0], pair[1]) : pair[0])]);
        return [.. levels.SelectMany(level => level).SelectMany(hash => hash.ToArray())];
    }
}
