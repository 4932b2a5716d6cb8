using System.Numerics;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// What the keys of a credential are derived from, and the form in which only the TPM of one endorsement key finds it (TPM 2.0 Library,
/// Part 1, annexes B.10 and C.6).
/// </summary>
/// <param name="Bytes">32 bytes, secret.</param>
/// <param name="Sealed">TPM2B_ENCRYPTED_SECRET's content.</param>
internal sealed record TpmSeed(byte[] Bytes, byte[] Sealed)
{
    private const int Size = 32, HashSize = 32;

    private static ReadOnlySpan<byte> Label => "IDENTITY"u8;

    /// <summary>For an RSA key of 2,048 bits or on P-256.</summary>
    public static TpmSeed For(AsymmetricAlgorithm endorsement) => endorsement is ECDiffieHellman curve ? Agreed(curve) : Encrypted((RSA)endorsement);

    // The point of a key made for this one challenge; the seed comes of the point that both keys make together.
    private static TpmSeed Agreed(ECDiffieHellman endorsement)
    {
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var (own, other) = (ephemeral.ExportParameters(includePrivateParameters: false).Q, endorsement.ExportParameters(includePrivateParameters: false).Q);
        var shared = ephemeral.DeriveRawSecretAgreement(endorsement.PublicKey);
        var seed = TpmKeyDerivation.KdfE(shared, Label, own.X, other.X, 8 * Size);
        CryptographicOperations.ZeroMemory(shared);
        return new TpmSeed(seed, new ByteWriter().U16(own.X!.Length).Bytes(own.X).U16(own.Y!.Length).Bytes(own.Y).ToArray());
    }

    // RSAES-OAEP (RFC 8017, 7.1.1) with SHA-256 and a label, its zero byte included, which the platform's library cannot take. The seed is
    // drawn for this one challenge by the side that encrypts, so the time that the exponentiation takes tells nobody anything that lasts.
    private static TpmSeed Encrypted(RSA endorsement)
    {
        var key = endorsement.ExportParameters(includePrivateParameters: false);
        var seed = RandomNumberGenerator.GetBytes(Size);
        var size = key.Modulus!.Length;
        var block = new byte[size - HashSize - 1];
        SHA256.HashData([.. Label, 0]).CopyTo(block, 0);
        block[^(Size + 1)] = 1;
        seed.CopyTo(block, block.Length - Size);
        var mask = RandomNumberGenerator.GetBytes(HashSize);
        RsaPssSignature.Unmask(block, mask, HashAlgorithmName.SHA256);
        RsaPssSignature.Unmask(mask, block, HashAlgorithmName.SHA256);
        byte[] encoded = [0, .. mask, .. block];
        var sealedNumber = BigInteger.ModPow(Number(encoded), Number(key.Exponent!), Number(key.Modulus)).ToByteArray(isUnsigned: true, isBigEndian: true);
        return new TpmSeed(seed, TpmKey.Padded(sealedNumber, size));
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
