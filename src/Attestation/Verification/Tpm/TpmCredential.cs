using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// A secret that only the TPM of an endorsement key opens, and only for a key of that name which lives in it (TPM 2.0 Library, Part 1, 24
/// and annex B.10). RSA of 2,048 bits with AES-128 and SHA-256, as template L-1 has it.
/// </summary>
internal static class TpmCredential
{
    private const int SeedSize = 32, SymmetricBits = 128, MacBits = 256, HashSize = 32;

    private static ReadOnlySpan<byte> Identity => "IDENTITY\0"u8;

    /// <returns>Tag, credential and encrypted seed (docs/attestation/tpm.md, "Enrolment").</returns>
    public static byte[] Make(RSAParameters endorsement, ReadOnlySpan<byte> keyName, ReadOnlySpan<byte> secret)
    {
        var seed = RandomNumberGenerator.GetBytes(SeedSize);
        var hidden = Hide(Derive(seed, "STORAGE\0"u8, keyName, SymmetricBits), [(byte)(secret.Length >> 8), (byte)secret.Length, .. secret]);
        byte[] covered = [.. hidden, .. keyName];
        var mac = HMACSHA256.HashData(Derive(seed, "INTEGRITY\0"u8, [], MacBits), covered);
        var sealedSeed = Encrypt(endorsement, seed);
        CryptographicOperations.ZeroMemory(seed);
        byte[] credential = [0, (byte)mac.Length, .. mac, .. hidden];
        return new ByteWriter().Tag("OGE tpm cred v1"u8).U16(credential.Length).Bytes(credential).U16(sealedSeed.Length).Bytes(sealedSeed).ToArray();
    }

    // KDFa (Part 1, 11.4.10.2): one block of SHA-256 is enough for both keys. The label's zero byte belongs to it.
    private static byte[] Derive(byte[] seed, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, int bits)
    {
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, bits);
        byte[] input = [0, 0, 0, 1, .. label, .. context, .. size];
        return HMACSHA256.HashData(seed, input)[..(bits / 8)];
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

    // RSAES-OAEP (RFC 8017, 7.1.1) with SHA-256 and a label, which the platform's library cannot take. The seed is drawn for this one
    // challenge by the side that encrypts, so the time that the exponentiation takes tells nobody anything that lasts.
    private static byte[] Encrypt(RSAParameters key, byte[] message)
    {
        var size = key.Modulus!.Length;
        var block = new byte[size - HashSize - 1];
        SHA256.HashData(Identity).CopyTo(block, 0);
        block[^(message.Length + 1)] = 1;
        message.CopyTo(block, block.Length - message.Length);
        var mask = RandomNumberGenerator.GetBytes(HashSize);
        RsaPssSignature.Unmask(block, mask, HashAlgorithmName.SHA256);
        RsaPssSignature.Unmask(mask, block, HashAlgorithmName.SHA256);
        byte[] encoded = [0, .. mask, .. block];
        var sealedNumber = BigInteger.ModPow(Number(encoded), Number(key.Exponent!), Number(key.Modulus)).ToByteArray(isUnsigned: true, isBigEndian: true);
        return TpmKey.Padded(sealedNumber, size);
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
