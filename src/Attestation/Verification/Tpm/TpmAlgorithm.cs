using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>TPM_ALG_ID (TCG Algorithm Registry), those that are accepted.</summary>
internal static class TpmAlgorithm
{
    public const ushort Rsa = 0x0001, Sha256 = 0x000b, Sha384 = 0x000c, Sha512 = 0x000d, None = 0x0010, RsaSsa = 0x0014, RsaPss = 0x0016, Ecdsa = 0x0018, Ecc = 0x0023;

    public const ushort CurveP256 = 3, CurveP384 = 4;

    /// <summary>Null for SHA-1 and whatever is weaker or unknown.</summary>
    public static HashAlgorithmName? Hash(ushort algorithm) => algorithm switch
    {
        Sha256 => HashAlgorithmName.SHA256,
        Sha384 => HashAlgorithmName.SHA384,
        Sha512 => HashAlgorithmName.SHA512,
        _ => null,
    };
}
