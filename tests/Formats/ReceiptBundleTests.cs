using System.Buffers.Binary;
using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class ReceiptBundleTests
{
    private static readonly Receipt Receipt = new(new byte[] { 1 }, 0, new byte[RowLeaf.Size], []);

    [Fact]
    public void Decode_GeneratedBundles_KeepsEverySection() => Generated.ForAll(Samples.Bundle, expected =>
    {
        var actual = ReceiptBundle.Decode(expected.Encode());
        Assert.Equal(expected.Receipt.Encode(), actual.Receipt.Encode());
        Assert.Equal(expected.Evidence?.Encode(), actual.Evidence?.Encode());
        Assert.Equal(expected.CheckpointEvidence?.Encode(), actual.CheckpointEvidence?.Encode());
        Assert.Equal((expected.Inclusion?.LeafIndex, expected.Inclusion?.TreeSize), (actual.Inclusion?.LeafIndex, actual.Inclusion?.TreeSize));
        Assert.Equal(expected.Inclusion?.Path, actual.Inclusion?.Path);
        Assert.Equal(expected.Anchor, actual.Anchor);
        Assert.Equal(expected.Cosignatures.ToArray(), actual.Cosignatures.ToArray());
        Assert.Equal(expected.Consistency, actual.Consistency);
        Assert.Equal(expected.Encode(), actual.Encode());
        Assert.Equal(expected.Checkpoint is null, actual.Checkpoint is null);
        if (expected.Checkpoint is not { } before || actual.Checkpoint is not { } after) return;
        Assert.Equal(before with { Signature = default, LogPublicKey = default, Note = default }, after with { Signature = default, LogPublicKey = default, Note = default });
        Assert.Equal(before.Signature.ToArray(), after.Signature.ToArray());
        Assert.Equal(before.LogPublicKey.ToArray(), after.LogPublicKey.ToArray());
        Assert.Equal(before.Note.ToArray(), after.Note.ToArray());
    });

    [Fact]
    public void Encode_ByHand_IsTheSameBytes()
    {
        var receipt = Receipt.Encode();
        byte[] expected =
        [
            .. "OGE bundle v1\0\0\0"u8, 0, 2, 0, 1, 0, 0, 0, (byte)receipt.Length, .. receipt,
            0, 3, 0, 0, 0, 49, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 1, .. Hash256.Sha256([7]).Bytes,
        ];
        Assert.Equal(expected, new ReceiptBundle { Receipt = Receipt, Inclusion = new InclusionProof(5, 6, [Hash256.Sha256([7])]) }.Encode());
    }

    [Fact]
    public void Decode_SectionsTwiceOrOutOfOrder_IsRefused()
    {
        var receipt = (Type: (ushort)1, Payload: Receipt.Encode());
        var anchor = (Type: (ushort)6, Payload: new byte[76]);
        Refused("bundle: sections are not in increasing order", receipt, receipt);
        Refused("bundle: sections are not in increasing order", anchor, receipt);
        Refused("bundle: sections are not in increasing order", ((ushort)0, []));
    }

    [Fact]
    public void Decode_UnknownMissingOrOverlongSection_NamesIt()
    {
        var receipt = (Type: (ushort)1, Payload: Receipt.Encode());
        Refused("bundle: unknown section 7", receipt, ((ushort)7, []));
        Refused("bundle: no receipt", ((ushort)6, new byte[76]));
        Refused("bundle: no receipt");
        Refused("bundle section 6: 1 trailing bytes", receipt, ((ushort)6, new byte[77]));
        Refused("bundle section 6: truncated", receipt, ((ushort)6, new byte[75]));
        Refused("bundle section 3: truncated", receipt, ((ushort)3, new byte[16]));
        Refused("bundle section 4: truncated", receipt, ((ushort)4, new byte[100]));
        Refused("receipt: 1 trailing bytes", ((ushort)1, [.. Receipt.Encode(), 0]));
    }

    [Fact]
    public void Encode_WithoutNewSections_StaysVersion1()
    {
        Assert.StartsWith("OGE bundle v1", System.Text.Encoding.ASCII.GetString(new ReceiptBundle { Receipt = Receipt, Anchor = new AnchorClaim(default, 1, default, 0) }.Encode()));
        Assert.StartsWith("OGE bundle v2", System.Text.Encoding.ASCII.GetString(new ReceiptBundle { Receipt = Receipt, Consistency = [] }.Encode()));
    }

    [Fact]
    public void Decode_VersionsAndSectionsThatDoNotFit_AreRefusedByName()
    {
        var whole = new ReceiptBundle { Receipt = Receipt, Consistency = [Hash256.Sha256([1])] }.Encode();
        Assert.NotNull(ReceiptBundle.Decode(whole).Consistency);
        byte[] newer = [.. whole];
        newer[12] = (byte)'3';
        Assert.Contains("reads versions 1 and 2", Assert.Throws<FormatException>(() => ReceiptBundle.Decode(newer)).Message, StringComparison.Ordinal);
        byte[] older = [.. whole];
        older[12] = (byte)'1';
        Assert.Equal("bundle: unknown section 8", Assert.Throws<FormatException>(() => ReceiptBundle.Decode(older)).Message);
        byte[] bare = [.. new ReceiptBundle { Receipt = Receipt }.Encode()];
        bare[12] = (byte)'2';
        Assert.Contains("without a section that version 1 lacks", Assert.Throws<FormatException>(() => ReceiptBundle.Decode(bare)).Message, StringComparison.Ordinal);
        byte[] lines = [.. new ReceiptBundle { Receipt = Receipt, Cosignatures = "\u2014 w AAAAAAAA\n"u8.ToArray() }.Encode()];
        lines[^1] = (byte)'x';
        Assert.Contains("signature lines", Assert.Throws<FormatException>(() => ReceiptBundle.Decode(lines)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, 32), InlineData(66, 32), InlineData(65, 31), InlineData(65, 33)]
    public void Encode_CheckpointFieldOfAnotherLength_Throws(int signature, int key)
    {
        var checkpoint = new SignedCheckpoint(1, default, default, 1, default, default, new byte[signature], new byte[key], default);
        Assert.Throws<InvalidOperationException>(() => new ReceiptBundle { Receipt = Receipt, Checkpoint = checkpoint }.Encode());
    }

    private static void Refused(string message, params (ushort Type, byte[] Payload)[] sections)
    {
        var bytes = new List<byte>([.. "OGE bundle v1\0\0\0"u8, 0, (byte)sections.Length]);
        foreach (var (type, payload) in sections)
        {
            var head = new byte[6];
            BinaryPrimitives.WriteUInt16BigEndian(head, type);
            BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(2), (uint)payload.Length);
            bytes.AddRange([.. head, .. payload]);
        }

        Assert.Equal(message, Assert.Throws<FormatException>(() => ReceiptBundle.Decode(bytes.ToArray())).Message);
    }
}
