using FsCheck.Fluent;
using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class ReceiptTests
{
    private static readonly byte[] Statement = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];
    private static readonly RowLeaf Leaf = new(new byte[16], Hash256.Sha256([1]), Hash256.Sha256([2]), Hash256.Sha256([3]), 3, 1);

    [Fact]
    public void Decode_GeneratedReceipts_GivesEveryFieldBack() => Generated.ForAll(Samples.Receipt, expected =>
    {
        var actual = Receipt.Decode(expected.Encode());
        Assert.Equal(expected.Statement.ToArray(), actual.Statement.ToArray());
        Assert.Equal(expected.Row, actual.Row);
        Assert.Equal(expected.Leaf.ToArray(), actual.Leaf.ToArray());
        Assert.Equal(expected.Path, actual.Path);
        Assert.Equal((expected.Id, expected.LeafHash, expected.StatementId), (actual.Id, actual.LeafHash, actual.StatementId));
    });

    [Fact]
    public void Encode_ByHand_IsTheSameBytes()
    {
        Hash256[] path = [Hash256.Sha256([4]), Hash256.Sha256([5])];
        byte[] expected =
        [
            .. "OGE receipt v1\0\0"u8, 0, 0, 0, 200, .. Statement, 0, 0, 0x01, 0x02, .. Leaf.ToArray(), 2, .. path[0].Bytes, .. path[1].Bytes,
        ];
        Assert.Equal(expected, new Receipt(Statement, 258, Leaf.ToArray(), path).Encode());
    }

    [Fact]
    public void MaxSize_LargestReceipt_IsExactlyIt()
    {
        var largest = new Receipt(new byte[Formats.Statement.MaxSize], 0, Leaf.ToArray(), new Hash256[16]).Encode();
        Assert.Equal(Receipt.MaxSize, largest.Length);
        Assert.Equal(largest, Receipt.Decode(largest).Encode());
        Assert.Throws<FormatException>(() => Receipt.Decode(new Receipt(new byte[Formats.Statement.MaxSize], 0, Leaf.ToArray(), new Hash256[17]).Encode()));
    }

    [Theory]
    [InlineData(0), InlineData(117), InlineData(119)]
    public void Encode_LeafOfAnotherLength_Throws(int length) =>
        Assert.Contains($"118 bytes, not {length}", Assert.Throws<InvalidOperationException>(() => new Receipt(Statement, 0, new byte[length], []).Encode()).Message);

    [Fact]
    public void Decode_AnotherVersion_NamesTheTag()
    {
        var bytes = new Receipt(Statement, 0, Leaf.ToArray(), []).Encode();
        bytes[13] = (byte)'2';
        Assert.Equal("receipt: unknown tag or version", Assert.Throws<FormatException>(() => Receipt.Decode(bytes)).Message);
    }

    [Fact]
    public void Leaf_ByHand_IsTheSameBytesAndTwoBlocks()
    {
        byte[] salt = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        var leaf = new RowLeaf(salt, Leaf.Request, Leaf.Output, Leaf.Parameters, 0x01020304, 0x0506);
        byte[] expected = [.. salt, .. Leaf.Request.Bytes, .. Leaf.Output.Bytes, .. Leaf.Parameters.Bytes, 1, 2, 3, 4, 5, 6];
        Assert.Equal(expected, leaf.ToArray());
        Assert.Equal(RowLeaf.Size, expected.Length);
        Assert.Equal(128, 1 + RowLeaf.Size + 1 + 8); // prefix, preimage, SHA-256's end mark and bit length
        Assert.Equal(MerkleTree.LeafHash(expected), RowLeaf.HashOf(expected));
        Assert.Equal(Hash256.Sha256([0, .. expected]), RowLeaf.HashOf(expected));
    }

    [Fact]
    public void Leaf_GeneratedLeaves_DecodeToTheSameFields() => Generated.ForAll(Samples.RowLeaf, expected =>
    {
        var actual = RowLeaf.Decode(expected.ToArray());
        Assert.Equal(expected with { Salt = default }, actual with { Salt = default });
        Assert.Equal(expected.Salt.ToArray(), actual.Salt.ToArray());
    });

    [Theory]
    [InlineData(0), InlineData(15), InlineData(17)]
    public void Leaf_SaltOfAnotherLength_Throws(int length) =>
        Assert.Contains($"16 bytes, not {length}", Assert.Throws<InvalidOperationException>(() => (Leaf with { Salt = new byte[length] }).ToArray()).Message);

    [Fact]
    public void Id_OfALeaf_IsItsTaggedHashAndNotItsPublicOne()
    {
        var preimage = Leaf.ToArray();
        var id = ReceiptId.Of(preimage);
        Assert.Equal(Convert.ToHexStringLower(Hash256.Sha256([.. "OGE receipt id 1"u8, .. preimage]).Bytes[..16]), id.ToString());
        Assert.NotEqual(RowLeaf.HashOf(preimage).ToString()[..32], id.ToString());
        Assert.NotEqual(MerkleTree.LeafHash([.. "OGE receipt id 1"u8, .. preimage]).ToString()[..32], id.ToString());
    }

    [Fact]
    public void Id_AnyByteOfTheLeafChanged_IsAnother() => Generated.ForAll(
        from leaf in Samples.RowLeaf from at in Gen.Choose(0, RowLeaf.Size - 1) from bit in Gen.Choose(0, 7) select (bytes: leaf.ToArray(), at, bit),
        change =>
        {
            var before = ReceiptId.Of(change.bytes);
            change.bytes[change.at] ^= (byte)(1 << change.bit);
            Assert.NotEqual(before, ReceiptId.Of(change.bytes));
        });

    [Theory]
    [InlineData("00112233445566778899aabbccddeeff", true)]
    [InlineData("00112233445566778899aabbccddeef", false), InlineData("00112233445566778899aabbccddeeff0", false)]
    [InlineData("0x112233445566778899aabbccddeeff", false), InlineData("00112233445566778899aabbccddeefg", false), InlineData("", false)]
    public void Id_Parse_TakesExactly32Digits(string text, bool valid)
    {
        Assert.Equal(valid, ReceiptId.TryParse(text, out var id));
        Assert.Equal(valid ? text : new string('0', 32), id.ToString());
    }
}
