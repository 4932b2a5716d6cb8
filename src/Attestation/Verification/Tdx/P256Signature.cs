using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>ECDSA over P-256 with SHA-256, as r ‖ s. Intel's formats know no other.</summary>
internal static class P256Signature
{
    private const int Coordinate = 32;

    /// <param name="key">x ‖ y, 64 bytes.</param>
    public static bool Holds(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signature)
    {
        try
        {
            var point = new ECPoint { X = key[..Coordinate].ToArray(), Y = key[Coordinate..].ToArray() };
            using var ecdsa = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
            return Holds(ecdsa, data, signature);
        }
        catch (CryptographicException)
        {
            // Not a point of the curve.
            return false;
        }
    }

    public static bool Holds(X509Certificate2 signer, ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signature)
    {
        try
        {
            using var ecdsa = signer.GetECDsaPublicKey();
            return ecdsa is { KeySize: Coordinate * 8 } && Holds(ecdsa, data, signature);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool Holds(ECDsa key, ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signature) =>
        key.VerifyData(data.Span, signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
}
