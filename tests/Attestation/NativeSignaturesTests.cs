using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

public class NativeSignaturesTests
{
    private static readonly byte[] Secret = [.. new byte[31], 5];
    private static readonly Hash256 Digest = Hash256.Sha256("a message"u8);

    [Fact]
    public void VerifySecp256k1_RightSignature_HoldsUnderBothFormsOfTheKey()
    {
        var key = Shim.Signatures.PublicKeyOf(Secret);
        var signature = Shim.Signatures.Sign(Secret, Digest);
        Assert.True(Shim.Signatures.VerifySecp256k1(key, Digest, signature));
        Assert.True(Shim.Signatures.VerifySecp256k1(NativeSignatures.Compress(key), Digest, signature));
        Assert.Equal(key, Shim.Signatures.Recover(Digest, signature));
    }

    [Fact]
    public void VerifySecp256k1_WrongLengths_AreFalseAndNoException()
    {
        var key = Shim.Signatures.PublicKeyOf(Secret);
        var signature = Shim.Signatures.Sign(Secret, Digest);
        Assert.False(Shim.Signatures.VerifySecp256k1([], Digest, signature));
        Assert.False(Shim.Signatures.VerifySecp256k1(key.AsSpan(1), Digest, signature));
        Assert.False(Shim.Signatures.VerifySecp256k1(key, Digest, signature.AsSpan(1)));
        Assert.False(Shim.Signatures.VerifySecp256k1(key, Digest, [.. signature, 0]));
        Assert.False(Shim.Signatures.VerifySecp256k1(key, Hash256.Zero, signature));
        Assert.Null(Shim.Signatures.Recover(Digest, []));
        Assert.Null(Shim.Signatures.RecoverAddress(Digest, new byte[65]));
    }

    [Fact]
    public void VerifyEd25519_WrongAnything_IsFalse()
    {
        var key = Shim.Signatures.Ed25519PublicKeyOf(Secret);
        var signature = Shim.Signatures.SignEd25519(Secret, "m"u8);
        Assert.True(Shim.Signatures.VerifyEd25519(key, "m"u8, signature));
        Assert.False(Shim.Signatures.VerifyEd25519(key, "n"u8, signature));
        Assert.False(Shim.Signatures.VerifyEd25519(key, "m"u8, signature.AsSpan(1)));
        Assert.False(Shim.Signatures.VerifyEd25519(key.AsSpan(1), "m"u8, signature));
        Assert.False(Shim.Signatures.VerifyEd25519(new byte[32], "m"u8, signature));
        Assert.True(Shim.Signatures.VerifyEd25519(key, [], Shim.Signatures.SignEd25519(Secret, [])));
    }

    [Fact]
    public void Sign_SecretThatIsNoKey_IsRefused()
    {
        Assert.Equal(AttestationFailure.BadKey, Assert.Throws<AttestationException>(() => Shim.Signatures.Sign(new byte[32], Digest)).Status);
        Assert.Throws<ArgumentException>(() => Shim.Signatures.Sign(new byte[31], Digest));
    }
}
