using System.Security.Cryptography;
using System.Text;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class SignedNoteTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 7))];
    private static readonly byte[] Signature = [.. Enumerable.Range(0, 64).Select(i => (byte)(255 - i))];
    private static readonly Hash256 Root = Hash256.Sha256([1, 2, 3]);
    private static readonly string Identity = Convert.ToHexStringLower(SHA256.HashData([.. Encoding.ASCII.GetBytes("OGE log v1\0\0\0\0\0\0"), .. Key]));
    private static readonly string KeyName = "opengradient.engine/log/" + Identity;
    private static readonly byte[] KeyId = SHA256.HashData([.. Encoding.ASCII.GetBytes(KeyName + "\n"), 1, .. Key])[..4];

    [Fact]
    public void Encode_C2spTextByHand_IsTheSameBytes()
    {
        var text = $"{KeyName}\n42\n{Convert.ToBase64String(Root.ToArray())}\n";
        byte[] stamp = [.. KeyId, .. Signature];
        byte[] line = [0xe2, 0x80, 0x94, (byte)' ', .. Encoding.ASCII.GetBytes($"{KeyName} {Convert.ToBase64String(stamp)}\n")];
        Assert.Equal(Encoding.ASCII.GetBytes(text), SignedNote.Text(SignedNote.LogIdOf(Key), 42, Root));
        Assert.Equal([.. Encoding.ASCII.GetBytes(text), (byte)'\n', .. line], SignedNote.Encode(Key, 42, Root, Signature));
    }

    [Fact]
    public void VerifierKey_C2spForm_IsNameHashAndTypedKey()
    {
        byte[] typed = [1, .. Key];
        Assert.Equal($"{KeyName}+{Convert.ToHexStringLower(KeyId)}+{Convert.ToBase64String(typed)}", SignedNote.VerifierKey(Key));
        Assert.DoesNotContain('+', KeyName); // C2SP: a key name has neither plus signs nor spaces
        Assert.DoesNotContain(' ', KeyName);
    }

    [Fact]
    public void LogId_OfAKey_IsItsTaggedHash() => Assert.Equal(Identity, SignedNote.LogIdOf(Key).ToString());

    [Theory]
    [InlineData(0UL), InlineData(9UL), InlineData(10UL), InlineData(ulong.MaxValue)]
    public void SignatureOf_OwnNote_IsTheSignature(ulong size) =>
        Assert.Equal(Signature, SignedNote.SignatureOf(SignedNote.Encode(Key, size, Root, Signature), Key, size, Root));

    [Fact]
    public void SignatureOf_AnyByteChanged_IsNullOrAnotherSignature()
    {
        var note = SignedNote.Encode(Key, 42, Root, Signature);
        var accepted = 0;
        for (var at = 0; at < note.Length; at++)
            for (var bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. note];
                changed[at] ^= (byte)(1 << bit);
                if (SignedNote.SignatureOf(changed, Key, 42, Root) is not { } other) continue;
                accepted++;
                Assert.NotEqual(Signature, other);
                Assert.Equal(changed, SignedNote.Encode(Key, 42, Root, other));
            }

        Assert.InRange(accepted, 1, 8 * 88); // only within the signature's own base64 digits
    }

    [Fact]
    public void SignatureOf_OtherSizeRootKeyOrShape_IsNull()
    {
        var note = SignedNote.Encode(Key, 42, Root, Signature);
        byte[] otherKey = [.. Key[..31], 0];
        Assert.Null(SignedNote.SignatureOf(note, Key, 43, Root));
        Assert.Null(SignedNote.SignatureOf(note, Key, 42, Hash256.Zero));
        Assert.Null(SignedNote.SignatureOf(note, otherKey, 42, Root));
        Assert.Null(SignedNote.SignatureOf([], Key, 42, Root));
        Assert.Null(SignedNote.SignatureOf(note.AsSpan(1), Key, 42, Root));
        Assert.Null(SignedNote.SignatureOf([.. note, (byte)'\n'], Key, 42, Root));
        Assert.Null(SignedNote.SignatureOf([.. note[..^2], (byte)'A', (byte)'\n'], Key, 42, Root));
        Assert.Null(SignedNote.SignatureOf([.. note[..^6], .. "    =\n"u8], Key, 42, Root));
    }

    [Fact]
    public void Encode_LargestSize_StaysUnderTheCap() =>
        Assert.InRange(SignedNote.Encode(Key, ulong.MaxValue, Root, Signature).Length, 1, SignedNote.MaxSize);
}
