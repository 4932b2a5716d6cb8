using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// A secret that only the TPM of an endorsement key opens, and only for a key of that name which lives in it (TPM 2.0 Library, Part 1, 24).
/// With AES-128 and SHA-256, as templates L-1 and L-2 have them.
/// </summary>
internal static class TpmCredential
{
    private const int SymmetricBits = 128, MacBits = 256;

    /// <returns>Tag, credential and sealed seed (docs/attestation/tpm.md, "Enrolment").</returns>
    public static byte[] Make(AsymmetricAlgorithm endorsement, ReadOnlySpan<byte> keyName, ReadOnlySpan<byte> secret)
    {
        var seed = TpmSeed.For(endorsement);
        var hidden = Hide(TpmKeyDerivation.KdfA(seed.Bytes, "STORAGE"u8, keyName, SymmetricBits), [(byte)(secret.Length >> 8), (byte)secret.Length, .. secret]);
        byte[] covered = [.. hidden, .. keyName];
        var mac = HMACSHA256.HashData(TpmKeyDerivation.KdfA(seed.Bytes, "INTEGRITY"u8, [], MacBits), covered);
        CryptographicOperations.ZeroMemory(seed.Bytes);
        byte[] credential = [0, (byte)mac.Length, .. mac, .. hidden];
        return new ByteWriter().Tag("OGE tpm cred v1"u8).U16(credential.Length).Bytes(credential).U16(seed.Sealed.Length).Bytes(seed.Sealed).ToArray();
    }

    // CFB with a feedback of whole blocks; what fills the last one is cut off again.
    private static byte[] Hide(byte[] key, byte[] plain)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var padded = new byte[(plain.Length + 15) / 16 * 16];
        plain.CopyTo(padded, 0);
        return aes.EncryptCfb(padded, new byte[16], PaddingMode.None, feedbackSizeInBits: 128)[..plain.Length];
    }
}
