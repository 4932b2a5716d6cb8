using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>The two key derivation functions of TPM 2.0 (Library, Part 1, 11.4.10) with SHA-256, of which one block is enough for every key here.</summary>
public static class TpmKeyDerivation
{
    private const int BlockBits = 256;

    /// <summary>KDFa: SP 800-108's counter mode with HMAC.</summary>
    /// <param name="label">ASCII, without the zero byte that follows it.</param>
    /// <param name="context">Both parties' parts, one after the other.</param>
    /// <param name="bits">A multiple of 8, at most 256.</param>
    public static byte[] KdfA(ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, int bits)
    {
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, bits);
        byte[] input = [0, 0, 0, 1, .. label, 0, .. context, .. size];
        return Cut(HMACSHA256.HashData(key, input), bits);
    }

    /// <summary>KDFe: SP 800-56C's one-step derivation with a hash.</summary>
    /// <param name="shared">The x coordinate of the point that both parties know, at the curve's full length.</param>
    /// <param name="label">ASCII, without the zero byte that follows it.</param>
    /// <param name="partyU">The x coordinate of the ephemeral key.</param>
    /// <param name="partyV">The x coordinate of the other one.</param>
    /// <param name="bits">A multiple of 8, at most 256.</param>
    public static byte[] KdfE(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> label, ReadOnlySpan<byte> partyU, ReadOnlySpan<byte> partyV, int bits)
    {
        byte[] input = [0, 0, 0, 1, .. shared, .. label, 0, .. partyU, .. partyV];
        var derived = Cut(SHA256.HashData(input), bits);
        CryptographicOperations.ZeroMemory(input);
        return derived;
    }

    private static byte[] Cut(byte[] block, int bits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, BlockBits);
        ArgumentOutOfRangeException.ThrowIfNotEqual(bits % 8, 0);
        return block[..(bits / 8)];
    }
}
