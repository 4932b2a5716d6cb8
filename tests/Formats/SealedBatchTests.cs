using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class SealedBatchTests
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(7), InlineData(64), InlineData(65)]
    public void Receipt_EveryRow_LeadsToTheRootOfTheBatch(int rows)
    {
        var (batch, root) = Batch(rows);
        for (var row = 0; row < rows; row++)
        {
            var receipt = Receipt.Decode(batch.Receipt(row).Encode());
            Assert.Equal(root, MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, (ulong)rows, receipt.Path));
            Assert.Equal(batch.LeafHash(row), receipt.LeafHash);
            Assert.Equal(batch.ReceiptId(row), receipt.Id);
            Assert.Equal(batch.StatementId, receipt.StatementId);
        }
    }

    [Fact]
    public void StatementId_AskedByManyThreads_IsAlwaysTheWholeHash()
    {
        for (var repeat = 0; repeat < 200; repeat++)
        {
            var (batch, _) = Batch(1);
            var expected = MerkleTree.LeafHash(batch.Statement.Span);
            Parallel.For(0, 8, _ => Assert.Equal(expected, batch.StatementId));
        }
    }

    [Theory]
    [InlineData(0, 0), InlineData(117, 32), InlineData(118, 31), InlineData(118, 64), InlineData(236, 64)]
    public void Constructor_LeavesAndTreeThatDoNotFit_Throws(int leaves, int tree) =>
        Assert.Throws<ArgumentException>(() => new SealedBatch(new byte[200], new byte[leaves], new byte[tree]));

    private static (SealedBatch Batch, Hash256 Root) Batch(int rows)
    {
        byte[][] leaves = [.. Enumerable.Range(0, rows).Select(row => new RowLeaf(new byte[16], default, default, default, (uint)row, 1).ToArray())];
        Hash256[] hashes = [.. leaves.Select(leaf => RowLeaf.HashOf(leaf))];
        return (new SealedBatch(new byte[200], [.. leaves.SelectMany(leaf => leaf)], RowTreeTests.Build(hashes)), MerkleTree.Root(hashes));
    }
}
