using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki.Ocsp;

internal enum OcspState
{
    Good,
    Revoked,

    /// <summary>The responder does not know the certificate.</summary>
    Unknown,
}

/// <summary>What an answer says of one certificate (RFC 6960, 4.2.1, SingleResponse).</summary>
/// <param name="Hash">Of the two digests that name the issuer; null for one that is not known.</param>
/// <param name="NextUpdate">Null where the answer does not say until when it holds.</param>
internal sealed record OcspStatus(
    HashAlgorithmName? Hash, ReadOnlyMemory<byte> IssuerName, ReadOnlyMemory<byte> IssuerKey, ReadOnlyMemory<byte> Serial,
    OcspState State, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate)
{
    /// <summary>Whether it is of this certificate: digests of the issuer's name and key, and the serial number.</summary>
    public bool Names(X509Certificate2 certificate, X509Certificate2 issuer) =>
        Hash is { } hash
        && DerFields.Significant(Serial.Span).SequenceEqual(DerFields.Significant(certificate.SerialNumberBytes.Span))
        && CryptographicOperations.HashData(hash, issuer.SubjectName.RawData).AsSpan().SequenceEqual(IssuerName.Span)
        && CryptographicOperations.HashData(hash, issuer.PublicKey.EncodedKeyValue.RawData).AsSpan().SequenceEqual(IssuerKey.Span);
}
