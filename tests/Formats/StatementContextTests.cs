using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class StatementContextTests
{
    internal static readonly StatementContext Plain = new(
        "digits", "1", Hash256.Sha256([4]),
        new RuntimeFingerprint("onnxruntime", "1.27.0", Hash256.Sha256([5]), "cpu", "x64-avx2", "fp32", ""), DeterminismClass.A, 1);

    [Fact]
    public void Decode_GeneratedContexts_GivesEveryFieldBack() =>
        Generated.ForAll(Samples.Context, expected => Assert.Equal(expected, StatementContext.Decode(expected.Encode())));

    [Fact]
    public void Encode_ByHand_IsTheSameBytes()
    {
        byte[] expected =
        [
            0xa6, 1, 0x66, .. "digits"u8, 2, 0x61, .. "1"u8, 3, 0x58, 32, .. Plain.ModelIdentity.Bytes,
            4, 0xa7, 1, 0x6b, .. "onnxruntime"u8, 2, 0x66, .. "1.27.0"u8, 3, 0x58, 32, .. Plain.Runtime.LibraryDigest.Bytes,
            4, 0x63, .. "cpu"u8, 5, 0x68, .. "x64-avx2"u8, 6, 0x64, .. "fp32"u8, 7, 0x60, 5, 0x61, .. "A"u8, 6, 1,
        ];
        Assert.Equal(expected, Plain.Encode());
    }

    [Fact]
    public void Encode_MoreThanTheCap_NamesTheModel()
    {
        var large = Plain with { ModelVersion = new string('1', StatementContext.MaxSize) };
        Assert.Contains("'digits'", Assert.Throws<InvalidOperationException>(large.Encode).Message);
    }

    [Theory]
    [InlineData("D"), InlineData("a"), InlineData("")]
    public void Decode_UnknownDeterminismClass_IsRefused(string letter)
    {
        var bytes = Plain.Encode();
        byte[] changed = [.. bytes[..^4], .. new CborWriter().Text(letter).ToArray(), .. bytes[^2..]];
        Refused(changed, "context: unknown determinism class");
    }

    [Theory]
    [InlineData(0UL), InlineData(65_537UL), InlineData(ulong.MaxValue)]
    public void Decode_PaddingOutOfRange_IsRefused(ulong padding) =>
        Refused([.. Plain.Encode()[..^1], .. new CborWriter().UInt(padding).ToArray()], "context: a padding rule between 1 and 65,536 expected");

    [Fact]
    public void Decode_KeyMissingOrAdded_IsRefused()
    {
        var bytes = Plain.Encode();
        Refused([0xa5, .. bytes[1..^2]], "context: six or seven keys expected");
        Refused([0xa8, .. bytes[1..], 7, 2, 8, 0], "context: six or seven keys expected");
        Refused([0xa7, .. bytes[1..], 8, 2], "CBOR: key 7 expected");
    }

    [Fact]
    public void Encode_MinimumRows_AddsAKeyAndNothingElse()
    {
        byte[] expected = [0xa7, .. Plain.Encode()[1..], 7, 2];
        Assert.Equal(expected, (Plain with { MinimumRows = 2 }).Encode());
        Assert.Equal(2u, StatementContext.Decode(expected).MinimumRows);
        Assert.Equal(1u, StatementContext.Decode(Plain.Encode()).MinimumRows);
    }

    [Theory]
    [InlineData(0UL), InlineData(1UL), InlineData(65_537UL), InlineData(ulong.MaxValue)]
    public void Decode_MinimumRowsOutOfRange_IsRefused(ulong rows) =>
        Refused([0xa7, .. Plain.Encode()[1..], 7, .. new CborWriter().UInt(rows).ToArray()], "context: a minimum of rows between 2 and 65,536 expected");

    private static void Refused(byte[] bytes, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => StatementContext.Decode(bytes)).Message);
}
