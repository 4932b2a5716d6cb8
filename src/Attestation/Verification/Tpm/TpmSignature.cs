using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>TPMT_SIGNATURE (Part 2, 11.3.4).</summary>
internal sealed record TpmSignature(ushort Scheme, ushort Hash, ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Second)
{
    private const int Largest = 512;

    /// <returns>Null, with a reason (Encoding or Version), where it is not exactly a signature that is supported.</returns>
    public static TpmSignature? Read(ReadOnlySpan<byte> bytes, ReasonList reasons)
    {
        try
        {
            var reader = new ByteReader(bytes, "signature");
            var (scheme, hash) = (reader.U16(), reader.U16());
            if (scheme is not (TpmAlgorithm.RsaSsa or TpmAlgorithm.RsaPss or TpmAlgorithm.Ecdsa) || TpmAlgorithm.Hash(hash) is null)
            {
                reasons.Refuse(AttestationCheck.Version, $"signature algorithm {scheme:x4} with hash {hash:x4}");
                return null;
            }

            var first = Number(ref reader);
            var second = scheme == TpmAlgorithm.Ecdsa ? Number(ref reader) : [];
            reader.End();
            return new TpmSignature(scheme, hash, first, second);
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.Encoding, error.Message);
            return null;
        }
    }

    /// <summary>Whether the key signed the message with this scheme.</summary>
    public bool Holds(TpmKey key, ReadOnlySpan<byte> message)
    {
        if (TpmAlgorithm.Hash(Hash) is not { } hash || (key.Scheme is { } bound && bound != (Scheme, Hash))) return false;
        try
        {
            if (Scheme == TpmAlgorithm.Ecdsa) return key.Curve is { } curve && HoldsEcdsa(curve, hash, message);
            if (key.Rsa is not { } parameters || First.Length != parameters.Modulus!.Length) return false;
            if (Scheme == TpmAlgorithm.RsaPss) return RsaPssSignature.Holds(parameters, hash, message, First.Span);
            using var rsa = RSA.Create(parameters);
            return rsa.VerifyData(message, First.Span, hash, RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private bool HoldsEcdsa(ECParameters curve, HashAlgorithmName hash, ReadOnlySpan<byte> message)
    {
        var size = curve.Q.X!.Length;
        if (First.Length > size || Second.Length > size || First.Span.IndexOfAnyExcept((byte)0) < 0 || Second.Span.IndexOfAnyExcept((byte)0) < 0) return false;
        using var key = ECDsa.Create(curve);
        byte[] both = [.. TpmKey.Padded(First.Span, size), .. TpmKey.Padded(Second.Span, size)];
        return key.VerifyData(message, both, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static byte[] Number(ref ByteReader reader)
    {
        var size = reader.U16();
        return size is > 0 and <= Largest ? reader.Take(size).ToArray() : throw new FormatException($"signature: a number of {size} bytes");
    }
}
