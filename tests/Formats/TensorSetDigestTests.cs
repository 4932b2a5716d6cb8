namespace OpenGradient.Engine.Formats.Tests;

public sealed class TensorSetDigestTests
{
    [Fact]
    public void Of_ByHand_IsTheHashOfTheSpecifiedBytes()
    {
        byte[] expected =
        [
            .. "OGE tensors v1\0\0"u8, 0, 0, 0, 2,
            0, 1, .. "a"u8, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8,
            0, 1, .. "b"u8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
        ];
        var digest = TensorSetDigest.Of([Tensor("b", 9, [], [1]), Tensor("a", 1, [1, 2], [1, 2, 3, 4, 5, 6, 7, 8])]);
        Assert.Equal(Hash256.Sha256(expected), digest);
    }

    [Fact]
    public void Of_AnyOrder_IsTheSame()
    {
        var tensors = new[] { Tensor("b", 1, [1], [1]), Tensor("a", 1, [1], [2]), Tensor("ab", 1, [1], [3]), Tensor("", 1, [1], [4]), Tensor("B", 1, [1], [5]) };
        var expected = TensorSetDigest.Of(tensors);
        for (var turn = 0; turn < tensors.Length; turn++)
            Assert.Equal(expected, TensorSetDigest.Of([.. tensors[turn..], .. tensors[..turn]]));
        Assert.Equal(expected, TensorSetDigest.Of(tensors.Reverse()));
    }

    [Fact]
    public void Of_NamesBeyondTheBasicPlane_AreOrderedByUtf8Bytes()
    {
        var (early, late) = (Tensor("\ufffd", 1, [1], [1]), Tensor(char.ConvertFromUtf32(0x1f600), 1, [1], [2]));
        byte[] expected = [.. "OGE tensors v1\0\0"u8, 0, 0, 0, 2, .. early.Header, 1, .. late.Header, 2];
        Assert.Equal(Hash256.Sha256(expected), TensorSetDigest.Of([late, early]));
    }

    [Fact]
    public void Of_AnyDifference_IsAnother()
    {
        Hash256[] digests =
        [
            TensorSetDigest.Of([]),
            TensorSetDigest.Of([Tensor("x", 1, [1, 4], [1, 2, 3, 4])]),
            TensorSetDigest.Of([Tensor("y", 1, [1, 4], [1, 2, 3, 4])]),
            TensorSetDigest.Of([Tensor("x", 2, [1, 4], [1, 2, 3, 4])]),
            TensorSetDigest.Of([Tensor("x", 1, [4, 1], [1, 2, 3, 4])]),
            TensorSetDigest.Of([Tensor("x", 1, [4], [1, 2, 3, 4])]),
            TensorSetDigest.Of([Tensor("x", 1, [1, 4], [1, 2, 3, 5])]),
            TensorSetDigest.Of([Tensor("x", 1, [1, 4], [1, 2, 3])]),
            TensorSetDigest.Of([Tensor("x", 1, [1, 4], [1, 2, 3, 4]), Tensor("y", 1, [0], [])]),
            TensorSetDigest.Of([Tensor("x", 1, [1, 2], [1, 2]), Tensor("y", 1, [1, 2], [3, 4])]),
            TensorSetDigest.Of([Tensor("y", 1, [1, 2], [1, 2]), Tensor("x", 1, [1, 2], [3, 4])]),
        ];
        Assert.Equal(digests.Length, digests.Distinct().Count());
    }

    [Fact]
    public void Of_DataThatLooksLikeAnotherTensor_IsAnother()
    {
        var second = Tensor("y", 1, [1], [7]);
        byte[] swallowed = [1, .. second.Header, 7];
        Assert.NotEqual(TensorSetDigest.Of([Tensor("x", 1, [1], [1]), second]), TensorSetDigest.Of([Tensor("x", 1, [1], swallowed)]));
    }

    [Fact]
    public void Of_NameTwice_NamesIt() =>
        Assert.Contains("'x' occurs twice", Assert.Throws<ArgumentException>(() => TensorSetDigest.Of([Tensor("x", 1, [1], [1]), Tensor("x", 1, [1], [2])])).Message);

    [Fact]
    public void Header_UnpairedSurrogate_Throws() => Assert.ThrowsAny<ArgumentException>(() => TensorSetDigest.Header("\ud800", 1, [1], 4));

    [Fact]
    public void Header_NegativeDimensionOrLongName_Throws()
    {
        Assert.Throws<OverflowException>(() => TensorSetDigest.Header("x", 1, [-1], 4));
        Assert.Throws<OverflowException>(() => TensorSetDigest.Header(new string('x', 65_536), 1, [1], 4));
        Assert.Throws<OverflowException>(() => TensorSetDigest.Header("x", 1, new long[256], 4));
    }

    [Fact]
    public void OfParameters_EmptyMap_IsTheDigestOfNoParameters()
    {
        Assert.Equal(Hash256.Sha256([.. "OGE params v1\0\0\0"u8, 0xa0]), TensorSetDigest.NoParameters);
        Assert.NotEqual(TensorSetDigest.NoParameters, TensorSetDigest.OfParameters([0xa1, 1, 1]));
    }

    private static (string Name, byte[] Header, ReadOnlyMemory<byte> Data) Tensor(string name, byte type, long[] dimensions, byte[] data) =>
        (name, TensorSetDigest.Header(name, type, dimensions, data.Length), data);
}
