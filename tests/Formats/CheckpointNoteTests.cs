using System.Text;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class CheckpointNoteTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 7))];
    private static readonly Hash256 Root = Hash256.Sha256([1, 2, 3]);
    private static readonly string Good = Encoding.UTF8.GetString(SignedNote.Encode(Key, 42, Root, new byte[64]));

    [Fact]
    public void Parse_OurOwnNote_GivesItsParts()
    {
        var note = CheckpointNote.Parse(Encoding.UTF8.GetBytes(Good));
        Assert.Equal((SignedNote.Origin(SignedNote.LogIdOf(Key)), 42UL, Root), (note.Origin, note.Size, note.Root));
        Assert.Equal(SignedNote.Text(SignedNote.LogIdOf(Key), 42, Root), note.Text.ToArray());
        Assert.True(Assert.Single(note.Signatures).IsBy(SignedNote.KeyOf(Key)));
    }

    [Theory]
    [InlineData("", "no newline at the end")]
    [InlineData("o\n1\nx", "no newline at the end")]
    [InlineData("o\n1\nR\n", "no blank line")]
    [InlineData("o\n1\n\n\u2014 a AAAAAAAA\n", "three lines or more")]
    [InlineData("o\n01\nR\n\n\u2014 a AAAAAAAA\n", "not a tree size")]
    [InlineData("o\n+1\nR\n\n\u2014 a AAAAAAAA\n", "not a tree size")]
    [InlineData("o\n99999999999999999999\nR\n\n\u2014 a AAAAAAAA\n", "not a tree size")]
    [InlineData("o\n1\nAAAA\n\n\u2014 a AAAAAAAA\n", "not a root hash")]
    [InlineData("o\n1\nR \n\n\u2014 a AAAAAAAA\n", "not a root hash")]
    [InlineData("o\n1\nR\n\n- a AAAAAAAA\n", "line 1 is not dash")]
    [InlineData("o\n1\nR\n\n\u2014 a AAAA\n", "line 1 is not dash")]
    [InlineData("o\n1\nR\n\n\u2014 a+b AAAAAAAA\n", "line 1 is not dash")]
    [InlineData("o\n1\nR\n\n\u2014 a AAAAAAAB \n", "line 1 is not dash")]
    [InlineData("o\n1\nR\n\n\u2014 a AAAAAAAA\n\n", "three lines or more")]
    [InlineData("o\t\n1\nR\n\n\u2014 a AAAAAAAA\n", "control character")]
    public void Parse_WhatIsNoCheckpoint_IsRefusedByName(string text, string why)
    {
        text = text.Replace("R", Convert.ToBase64String(Root.Bytes), StringComparison.Ordinal);
        Assert.Contains(why, Assert.Throws<FormatException>(() => CheckpointNote.Parse(Encoding.UTF8.GetBytes(text))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_ExtensionLinesAndOtherSignatures_ArePartOfIt()
    {
        var text = Good.Replace("\n\n", "\nan extension\n\n\u2014 b AQIDBAU=\n", StringComparison.Ordinal);
        var note = CheckpointNote.Parse(Encoding.UTF8.GetBytes(text));
        Assert.EndsWith("an extension\n", Encoding.UTF8.GetString(note.Text.Span));
        Assert.Equal(["b", note.Origin], note.Signatures.Select(line => line.Name));
        Assert.Equal(0x01020304u, note.Signatures[0].KeyId);
    }

    [Theory]
    [InlineData("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", NoteKeyType.Ed25519)] // C2SP signed-note's example
    [InlineData("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2", NoteKeyType.Cosignature)] // a public witness
    public void VerifierKey_PublishedOnes_ReadAndWriteAlike(string text, NoteKeyType type)
    {
        var key = VerifierKey.Parse(text);
        Assert.Equal(type, key.Type);
        Assert.Equal(text, key.ToString());
        Assert.Equal(key, VerifierKey.Parse(text));
    }

    [Theory]
    [InlineData("example.com/foo", "three parts")]
    [InlineData("example.com/foo+530d903a", "three parts")]
    [InlineData("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "its name")]
    [InlineData("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "its name")]
    [InlineData("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id")]
    [InlineData("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id")]
    [InlineData("example.com/foo+530d903a+Auky", "not base64")]
    [InlineData("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "type 2")]
    public void VerifierKey_WhatIsNone_IsRefusedByName(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => VerifierKey.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void CosignatureMessage_C2spsExample_IsTheSameText() =>
        Assert.Equal(
            "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            Encoding.ASCII.GetString(Cosignature.Message(1679315147, "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"u8)));
}
