using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class CborReaderTests
{
    private delegate void Read(ref CborReader reader);

    [Theory]
    [InlineData("00", 0UL), InlineData("17", 23UL), InlineData("1818", 24UL), InlineData("18ff", 255UL), InlineData("190100", 256UL)]
    [InlineData("19ffff", 65_535UL), InlineData("1a00010000", 65_536UL), InlineData("1affffffff", 4_294_967_295UL)]
    [InlineData("1b0000000100000000", 4_294_967_296UL), InlineData("1bffffffffffffffff", ulong.MaxValue)]
    public void UInt_EveryWidth_IsRfc8949(string hex, ulong value)
    {
        var reader = new CborReader(Convert.FromHexString(hex));
        Assert.Equal(value, reader.UInt());
        reader.End();
        Assert.Equal(hex, Convert.ToHexStringLower(new CborWriter().UInt(value).ToArray()));
    }

    [Theory]
    [InlineData("1800"), InlineData("1817"), InlineData("190000"), InlineData("1900ff"), InlineData("1a0000ffff"), InlineData("1b00000000ffffffff")]
    [InlineData("1a00000000"), InlineData("1b0000000000000000")]
    public void UInt_LongerThanNeeded_IsRefused(string hex) => Refused(hex, (ref reader) => reader.UInt(), "CBOR: length is not minimal");

    [Theory]
    [InlineData("1c"), InlineData("1d"), InlineData("1e"), InlineData("1f")]
    public void UInt_ReservedHead_IsRefused(string hex) => Refused(hex, (ref reader) => reader.UInt(), "CBOR: indefinite or reserved length");

    [Theory]
    [InlineData("18"), InlineData("1901"), InlineData("1a010000"), InlineData("1b01000000000000")]
    public void UInt_TruncatedHead_IsRefused(string hex) => Refused(hex, (ref reader) => reader.UInt(), "CBOR: truncated");

    [Theory]
    [InlineData(""), InlineData("20"), InlineData("40"), InlineData("60"), InlineData("80"), InlineData("a0"), InlineData("c000"), InlineData("f4"), InlineData("f6"), InlineData("fa00000000")]
    public void UInt_AnyOtherMajorType_IsRefused(string hex) => Refused(hex, (ref reader) => reader.UInt(), "CBOR: unsigned integer expected");

    [Theory]
    [InlineData("5f4101ff"), InlineData("5f"), InlineData("5c")]
    public void Bytes_Indefinite_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Bytes(), "CBOR: indefinite or reserved length");

    [Theory]
    [InlineData("41"), InlineData("58ff00"), InlineData("59ffff00"), InlineData("5affffffff00"), InlineData("5bffffffffffffffff00"), InlineData("5b7fffffffffffffff00")]
    public void Bytes_LongerThanTheData_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Bytes(), "CBOR: string longer than the data");

    [Theory]
    [InlineData("580100"), InlineData("5801aa"), InlineData("590001aa"), InlineData("5a00000001aa"), InlineData("5b0000000000000001aa")]
    public void Bytes_LengthLongerThanNeeded_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Bytes(), "CBOR: length is not minimal");

    [Theory]
    [InlineData("4100"), InlineData("00"), InlineData("8000")]
    public void Text_AnyOtherMajorType_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Text(), "CBOR: text string expected");

    [Theory]
    [InlineData("61ff"), InlineData("61c3"), InlineData("62c080"), InlineData("63eda080"), InlineData("64f4908080"), InlineData("63e08080"), InlineData("6180")]
    public void Text_InvalidUtf8_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Text(), "CBOR: text is not UTF-8");

    [Fact]
    public void Text_Indefinite_IsRefused() => Refused("7f6161ff", (ref reader) => reader.Text(), "CBOR: indefinite or reserved length");

    [Theory]
    [InlineData("bf00ff"), InlineData("bf")]
    public void Map_Indefinite_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Map(), "CBOR: indefinite or reserved length");

    [Theory]
    [InlineData("a1"), InlineData("b818"), InlineData("baffffffff"), InlineData("bbffffffffffffffff")]
    public void Map_MoreEntriesThanBytes_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Map(), "CBOR: map longer than the data");

    [Theory]
    [InlineData("81"), InlineData("9affffffff"), InlineData("9bffffffffffffffff")]
    public void Array_MoreItemsThanBytes_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Array(), "CBOR: array longer than the data");

    [Fact]
    public void Array_Indefinite_IsRefused() => Refused("9fff", (ref reader) => reader.Array(), "CBOR: indefinite or reserved length");

    [Theory]
    [InlineData("02"), InlineData("00")]
    public void Key_AnotherKey_IsRefused(string hex) => Refused(hex, (ref reader) => reader.Key(1), "CBOR: key 1 expected");

    [Theory]
    [InlineData(31), InlineData(33), InlineData(0)]
    public void Hash_AnyOtherLength_IsRefused(int length) =>
        Refused(Convert.ToHexString(new CborWriter().Bytes(new byte[length]).ToArray()), (ref reader) => reader.Hash(), "CBOR: a hash is 32 bytes");

    [Fact]
    public void End_TrailingByte_IsRefused() => Refused("0000", (ref reader) => { reader.UInt(); reader.End(); }, "CBOR: trailing bytes");

    [Fact]
    public void Text_UnpairedSurrogate_IsNotWritten() => Assert.ThrowsAny<ArgumentException>(() => new CborWriter().Text("a\ud800"));

    [Fact]
    public void Reader_WhatTheWriterWrote_IsTheSame()
    {
        Generated.ForAll(Samples.U64, value =>
        {
            var reader = new CborReader(new CborWriter().Map(1).UInt(value).Array(2).Bytes([1]).Text("x").ToArray());
            Assert.Equal(1, reader.Map());
            reader.Key(value);
            Assert.Equal(2, reader.Array());
            Assert.Equal(new byte[] { 1 }, reader.Bytes().ToArray());
            Assert.Equal("x", reader.Text());
            reader.End();
        });
        Generated.ForAll(Samples.BytesUpTo(70_000), value => Assert.Equal(value, new CborReader(new CborWriter().Bytes(value).ToArray()).Bytes().ToArray()), tests: 30);
        Generated.ForAll(Samples.Text, value => Assert.Equal(value, new CborReader(new CborWriter().Text(value).ToArray()).Text()));
    }

    private static void Refused(string hex, Read read, string message)
    {
        var problem = Assert.Throws<FormatException>(() =>
        {
            var reader = new CborReader(Convert.FromHexString(hex));
            read(ref reader);
        });
        Assert.Equal(message, problem.Message);
    }
}
