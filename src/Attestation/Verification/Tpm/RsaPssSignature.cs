using System.Numerics;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// RSASSA-PSS (RFC 8017, 8.1.2 and 9.1.2) with a salt as long as the hash or as long as fits. TPMs use either; the platform's library
/// checks only the former. Public values only, so nothing here has to take constant time.
/// </summary>
internal static class RsaPssSignature
{
    public static bool Holds(RSAParameters key, HashAlgorithmName hash, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        var modulus = new BigInteger(key.Modulus, isUnsigned: true, isBigEndian: true);
        var value = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        if (signature.Length != key.Modulus!.Length || value >= modulus) return false;
        var opened = BigInteger.ModPow(value, new BigInteger(key.Exponent, isUnsigned: true, isBigEndian: true), modulus).ToByteArray(isUnsigned: true, isBigEndian: true);
        var bits = (int)modulus.GetBitLength() - 1;
        var size = (bits + 7) / 8;
        return opened.Length <= size && HoldsEncoded(TpmKey.Padded(opened, size), bits, hash, CryptographicOperations.HashData(hash, message));
    }

    private static bool HoldsEncoded(byte[] encoded, int bits, HashAlgorithmName hash, byte[] digest)
    {
        var blockSize = encoded.Length - digest.Length - 1;
        var spare = (8 * encoded.Length) - bits;
        if (blockSize < digest.Length + 1 || encoded[^1] != 0xbc || encoded[0] >> (8 - spare) != 0) return false;
        var block = encoded[..blockSize];
        var expected = encoded[blockSize..^1];
        Unmask(block, expected, hash);
        block[0] &= (byte)(0xff >> spare);
        var one = block.AsSpan().IndexOfAnyExcept((byte)0);
        if (one < 0 || block[one] != 1) return false;
        var salt = block.AsSpan(one + 1);
        if (salt.Length != digest.Length && one != 0) return false;
        byte[] whole = [0, 0, 0, 0, 0, 0, 0, 0, .. digest, .. salt];
        return CryptographicOperations.HashData(hash, whole).AsSpan().SequenceEqual(expected);
    }

    // MGF1 (RFC 8017, B.2.1).
    internal static void Unmask(Span<byte> block, ReadOnlySpan<byte> seed, HashAlgorithmName hash)
    {
        for (int done = 0, counter = 0; done < block.Length; counter++)
        {
            byte[] input = [.. seed, (byte)(counter >> 24), (byte)(counter >> 16), (byte)(counter >> 8), (byte)counter];
            var mask = CryptographicOperations.HashData(hash, input);
            for (var i = 0; i < mask.Length && done < block.Length; i++, done++) block[done] ^= mask[i];
        }
    }
}
