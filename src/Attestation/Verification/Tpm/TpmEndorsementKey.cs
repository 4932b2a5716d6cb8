using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>
/// Endorsement keys of the templates whose certificates makers store (TCG EK Credential Profile, B.3): L-1, RSA of 2,048 bits, and L-2,
/// NIST P-256.
/// </summary>
internal static class TpmEndorsementKey
{
    private const int RsaBits = 2048;

    // TPMT_PUBLIC up to modulus or point: attributes 000300b2, policy of the hierarchy's authorization, AES-128 in CFB, no scheme.
    private const string Common = "000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa0006008000430010";
    private static readonly byte[] RsaTemplate = Convert.FromHexString("0001" + Common + "0800000000000100");
    private static readonly byte[] CurveTemplate = Convert.FromHexString("0023" + Common + "00030010");

    // The OBJECT IDENTIFIER of P-256 (RFC 5480, 2.1.1.1).
    private static ReadOnlySpan<byte> ParametersOfP256 => [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

    /// <summary>The certificate's key, <see cref="RSA"/> or <see cref="ECDiffieHellman"/>; null: of neither template. The caller disposes of it.</summary>
    /// <exception cref="CryptographicException">It cannot be read.</exception>
    public static AsymmetricAlgorithm? Read(X509Certificate2 certificate)
    {
        if (certificate.GetRSAPublicKey() is { } rsa)
        {
            if (rsa.KeySize == RsaBits) return rsa;
            rsa.Dispose();
            return null;
        }

        if (!(certificate.PublicKey.EncodedParameters?.RawData).AsSpan().SequenceEqual(ParametersOfP256)) return null;
        var curve = ECDiffieHellman.Create();
        try
        {
            // Not by the certificate's usages, which makers set as they like.
            curve.ImportSubjectPublicKeyInfo(certificate.PublicKey.ExportSubjectPublicKeyInfo(), out _);
            return curve;
        }
        catch (CryptographicException)
        {
            curve.Dispose();
            throw;
        }
    }

    /// <summary>000b ‖ SHA-256 of TPMT_PUBLIC.</summary>
    public static byte[] NameOf(AsymmetricAlgorithm key)
    {
        byte[] area;
        if (key is ECDiffieHellman curve)
        {
            var point = curve.ExportParameters(includePrivateParameters: false).Q;
            area = new ByteWriter().Bytes(CurveTemplate).U16(point.X!.Length).Bytes(point.X).U16(point.Y!.Length).Bytes(point.Y).ToArray();
        }
        else
        {
            area = [.. RsaTemplate, .. ((RSA)key).ExportParameters(includePrivateParameters: false).Modulus!];
        }

        return [0, (byte)TpmAlgorithm.Sha256, .. SHA256.HashData(area)];
    }
}
