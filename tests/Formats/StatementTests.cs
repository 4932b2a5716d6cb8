using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class StatementTests
{
    private static readonly Statement Plain = new()
    {
        LogId = Hash256.Sha256([1]), Epoch = Hash256.Sha256([2]), RowsRoot = Hash256.Sha256([3]), Sequence = 7, Signature = new byte[65],
        Context = StatementContextTests.Plain, Receipts = 1, BatchRows = 4, HostTime = 1_700_000_000_000_000_000,
    };

    [Fact]
    public void Decode_GeneratedStatements_GivesEveryFieldBack() => Generated.ForAll(Samples.Statement, expected =>
    {
        var actual = Statement.Decode(expected.Encode());
        Assert.Equal(expected with { Signature = default }, actual with { Signature = default });
        Assert.Equal(expected.Signature.ToArray(), actual.Signature.ToArray());
        Assert.Equal(expected.SignedDigest, actual.SignedDigest);
    });

    [Fact]
    public void Encode_HeaderByHand_IsTheSameBytes()
    {
        var body = Plain.EncodeBody();
        byte[] header = [.. "OGE statement v1"u8, .. Plain.LogId.Bytes, .. Plain.Epoch.Bytes, 0, 0, 0, 0, 0, 0, 0, 7, .. Hash256.Sha256(body).Bytes];
        Assert.Equal(Statement.HeaderSize, header.Length);
        Assert.Equal([.. header, .. new byte[65], .. body], Plain.Encode());
        Assert.Equal(Hash256.Sha256(header), Plain.SignedDigest);
    }

    [Fact]
    public void Encode_BodyByHand_IsTheSameBytes()
    {
        var context = Plain.Context.Encode();
        byte[] expected =
        [
            0xa6, 1, 0x58, (byte)context.Length, .. context, 2, 0x58, 32, .. Plain.RowsRoot.Bytes, 3, 1, 4, 4,
            5, 0x1b, 0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 0, 0, 6, 0x83, 0x19, 0x7a, 0x69, 0x18, 200, 0x58, 32, .. Plain.LogId.Bytes,
        ];
        Assert.InRange(context.Length, 24, 255);
        Assert.Equal(expected, (Plain with { Chain = new ChainView(31_337, 200, Plain.LogId) }).EncodeBody());
    }

    [Fact]
    public void Decode_AnyByteOfTheSignedPartChanged_IsRefusedOrHasAnotherDigest()
    {
        var valid = Plain.Encode();
        for (var at = 0; at < valid.Length; at++)
        {
            if (at is >= Statement.HeaderSize and < Statement.HeaderSize + Statement.SignatureSize) continue;
            byte[] changed = [.. valid];
            changed[at] ^= 1;
            try
            {
                Assert.NotEqual(Plain.SignedDigest, Statement.Decode(changed).SignedDigest);
            }
            catch (FormatException problem)
            {
                Assert.StartsWith("statement: ", problem.Message);
            }
        }
    }

    [Fact]
    public void Decode_DefectiveFields_NamesEach()
    {
        var body = Plain.EncodeBody();
        var at = body.Length - 15; // keys 3, 4 and 5 of a small body: 03 01 04 04 05 1b and eight bytes of time
        Refused(Format.AroundBody(body[..^1]), "CBOR: truncated");
        Refused(Format.AroundBody([.. body, 0]), "CBOR: trailing bytes");
        Refused(Format.AroundBody(Replaced(body, at + 2, 0)), "statement: number of receipts out of range");
        Refused(Format.AroundBody(Replaced(body, 0, 0xa4)), "statement: five or six keys expected");
        Refused(Format.AroundBody(Replaced(body, at + 1, 4)), "CBOR: key 3 expected");
        Refused(Format.AroundBody([.. body[..(at + 2)], 0x1a, 0, 1, 0, 1, .. body[(at + 3)..]]), "statement: number of receipts out of range");
        Refused(Format.AroundBody([.. body[..(at + 4)], 0x1b, 0, 0, 0, 1, 0, 0, 0, 0, .. body[(at + 5)..]]), "statement: batch rows out of range");
        Refused([], "statement: truncated");
        Refused(Replaced(Plain.Encode(), 15, (byte)'2'), "statement: unknown tag or version");
        Refused(Replaced(Plain.Encode(), 184, 2), "statement: signature's v is not 0 or 1");
        Refused(Replaced(Plain.Encode(), 184, 27), "statement: signature's v is not 0 or 1");
        Refused(Replaced(Plain.Encode(), 88, 0), "statement: body digest does not match");
    }

    [Fact]
    public void Decode_ChainViewOfTwo_IsRefused()
    {
        var body = (Plain with { Chain = new ChainView(1, 2, Hash256.Zero) }).EncodeBody();
        Refused(Format.AroundBody(Replaced(body, body.Length - 37, 0x82)), "statement: chain view has three items");
    }

    [Theory]
    [InlineData(0), InlineData(64), InlineData(66)]
    public void Encode_SignatureOfAnotherLength_Throws(int length) =>
        Assert.Contains($"65 bytes, not {length}", Assert.Throws<InvalidOperationException>(() => (Plain with { Signature = new byte[length] }).Encode()).Message);

    [Fact]
    public void Encode_LargestContext_FitsTheBodyCap()
    {
        var room = StatementContext.MaxSize - StatementContextTests.Plain.Encode().Length - 2;
        var largest = Plain with { Context = StatementContextTests.Plain with { ModelVersion = new string('1', room) }, Chain = new ChainView(ulong.MaxValue, ulong.MaxValue, Hash256.Zero) };
        Assert.InRange(largest.Context.Encode().Length, StatementContext.MaxSize - 4, StatementContext.MaxSize);
        Assert.Equal(largest.Encode(), Statement.Decode(largest.Encode()).Encode());
    }

    private static byte[] Replaced(byte[] bytes, int at, byte value)
    {
        byte[] copy = [.. bytes];
        Assert.NotEqual(value, copy[at]);
        copy[at] = value;
        return copy;
    }

    private static void Refused(byte[] bytes, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => Statement.Decode(bytes)).Message);
}
