using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>
/// A TPM's key derivation against OpenSSL's: KDFe is its SSKDF (hash SHA-256, info: label, zero, both parties), KDFa its KBKDF (counter,
/// HMAC-SHA-256, salt: label). Inputs are SHA-256 of a few words each; the values were made with <c>openssl kdf</c> 3.0.
/// </summary>
public sealed class TpmKeyDerivationTests
{
    [Theory]
    [InlineData("shared point 1", "party U 1", "party V 1", 256, "584864908b01e4942c201b7e7a5186ba7a92798dce4989e7b0f8962f206585f6")]
    [InlineData("shared point 1", "party U 1", "party V 1", 128, "584864908b01e4942c201b7e7a5186ba")]
    [InlineData("shared point 2", "party U 2", "party V 2", 256, "3b3b75cc431807855735d3a034893984e0c2be79d36f3142f3eadfb1b518bb36")]
    public void KdfE_OfKnownInputs_IsAsOpenSslHasIt(string shared, string partyU, string partyV, int bits, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(TpmKeyDerivation.KdfE(Of(shared), "IDENTITY"u8, Of(partyU), Of(partyV), bits)));

    [Fact]
    public void KdfA_OfKnownInputs_IsAsOpenSslHasIt()
    {
        Assert.Equal("506a94990f0f06ea8a74685bfdf0978c", Convert.ToHexStringLower(TpmKeyDerivation.KdfA(Of("seed"), "STORAGE"u8, Of("context"), 128)));
        Assert.Equal("bde7683f91ebe5dfac4a29129c59f9242db86e9ae0e313521079efe5899f6db8", Convert.ToHexStringLower(TpmKeyDerivation.KdfA(Of("seed"), "INTEGRITY"u8, [], 256)));
    }

    [Theory]
    [InlineData(257)]
    [InlineData(264)]
    [InlineData(100)]
    public void Kdf_OfASizeThatOneBlockDoesNotGive_IsRefused(int bits)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TpmKeyDerivation.KdfA([], [], [], bits));
        Assert.Throws<ArgumentOutOfRangeException>(() => TpmKeyDerivation.KdfE([], [], [], [], bits));
    }

    private static byte[] Of(string words) => SHA256.HashData(Encoding.ASCII.GetBytes(words));
}
