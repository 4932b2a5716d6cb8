using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>Which keys a path's certificates may have.</summary>
internal enum KeyRule
{
    /// <summary>ECDSA over P-384, signed with SHA-384.</summary>
    P384,

    /// <summary>ECDSA over P-256, signed with SHA-256.</summary>
    P256,

    /// <summary>RSA of 4,096 bits, signed with PSS, SHA-384 and a salt of 48 bytes; the leaf may be ECDSA over P-384.</summary>
    Rsa4096Pss,

    /// <summary>RSA of at least 2,048 bits or ECDSA over P-256 or P-384, signed with SHA-256 or better.</summary>
    Any,
}

/// <summary>How a path is judged.</summary>
internal sealed record PathRules
{
    public required KeyRule Keys { get; init; }

    /// <summary>SHA-256 of the DER of each root that is trusted, lower-case hexadecimal.</summary>
    public required IReadOnlyCollection<string> Roots { get; init; }

    /// <summary>Certificates of a path, leaf and root included.</summary>
    public int MostCertificates { get; init; } = 10;

    /// <summary>The leaf must carry a key usage with digitalSignature. AMD's do not.</summary>
    public bool LeafHasKeyUsage { get; init; } = true;

    /// <summary>Extensions that may be critical without this program knowing them.</summary>
    public IReadOnlyCollection<string> KnownExtensions { get; init; } = [];
}

/// <summary>Certificates from a leaf to a pinned root, judged at a given time. Nothing is fetched.</summary>
internal static class CertificatePath
{
    /// <summary>
    /// Reads and checks a path: sizes, keys and signature algorithms by the rules, names and signatures from each to its issuer, validity
    /// at the time, basic constraints with path length, key usage of issuers (keyCertSign) and leaf, the root by its digest. The path
    /// must be exactly these certificates in this order. Each failure is a reason (Encoding, Chain, ChainTime, Root).
    /// </summary>
    /// <param name="leafToRoot">DER of each certificate, at most 8 KiB each.</param>
    /// <returns>The certificates, to be disposed by the caller; null where one of them could not be read.</returns>
    public static X509Certificate2[]? Check(IReadOnlyList<ReadOnlyMemory<byte>> leafToRoot, DateTimeOffset at, PathRules rules, ReasonList reasons) =>
        throw new NotImplementedException();
}
