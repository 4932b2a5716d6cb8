using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>Certificates from a leaf to a pinned root, judged at a given time. Nothing is fetched.</summary>
public static class CertificatePath
{
    private const int LargestCertificate = 8 * 1024;

    /// <summary>
    /// Reads and checks a path: sizes, keys and signature algorithms by the rules, names and signatures from each to its issuer, validity
    /// at the time, basic constraints with path length, key usage of issuers (keyCertSign) and leaf, the root by its digest, and the deny
    /// list. The path must be exactly these certificates in this order, and the platform's own verification must agree. Each failure is a
    /// reason (Encoding, Chain, ChainTime, Root, Revoked).
    /// </summary>
    /// <param name="leafToRoot">DER of each certificate, at most 8 KiB each.</param>
    /// <returns>The certificates, to be disposed by the caller; null where one of them could not be read.</returns>
    public static X509Certificate2[]? Check(IReadOnlyList<ReadOnlyMemory<byte>> leafToRoot, DateTimeOffset at, PathRules rules, ReasonList reasons)
    {
        if (leafToRoot.Count == 0 || leafToRoot.Count > rules.MostCertificates)
        {
            reasons.Refuse(AttestationCheck.Chain, $"a path of {leafToRoot.Count} certificates; 1 to {rules.MostCertificates} are allowed");
            return null;
        }

        if (ReadFields(leafToRoot, reasons) is not { } fields || Load(fields, reasons) is not { } certificates) return null;
        var before = reasons.Failures;
        for (var i = 0; i < fields.Length; i++) CheckOne(fields, i, at, rules, reasons);
        CheckSignatures(fields, certificates, reasons);
        CheckRoot(fields[^1], rules, reasons);
        // The platform's verification says nothing new of a path that is refused already.
        if (reasons.Failures == before && PlatformChain.Object(certificates, at) is { } objection) reasons.Refuse(AttestationCheck.Chain, objection);
        return certificates;
    }

    private static CertificateFields[]? ReadFields(IReadOnlyList<ReadOnlyMemory<byte>> leafToRoot, ReasonList reasons)
    {
        var fields = new CertificateFields[leafToRoot.Count];
        for (var i = 0; i < fields.Length; i++)
        {
            var der = leafToRoot[i];
            if (der.Length <= LargestCertificate && CertificateFields.Read(der) is { } read) fields[i] = read;
            else
            {
                reasons.Refuse(AttestationCheck.Encoding, der.Length > LargestCertificate ? $"{Name(i)} is {der.Length} bytes" : $"{Name(i)} is not exactly one X.509 certificate");
                return null;
            }
        }

        return fields;
    }

    private static X509Certificate2[]? Load(CertificateFields[] fields, ReasonList reasons)
    {
        var certificates = new X509Certificate2[fields.Length];
        for (var i = 0; i < fields.Length; i++)
        {
            try
            {
                certificates[i] = X509CertificateLoader.LoadCertificate(fields[i].Der.Span);
            }
            catch (CryptographicException)
            {
                reasons.Refuse(AttestationCheck.Encoding, $"{Name(i)} is not an X.509 certificate");
                for (var k = 0; k < i; k++) certificates[k].Dispose();
                return null;
            }
        }

        return certificates;
    }

    private static void CheckOne(CertificateFields[] fields, int index, DateTimeOffset at, PathRules rules, ReasonList reasons)
    {
        var (certificate, isLeaf) = (fields[index], index == 0);
        if (!Allows(rules.Keys, certificate, isLeaf)) reasons.Refuse(AttestationCheck.Chain, $"{Name(index)} has a key or a signature algorithm other than {rules.Keys}");
        if (at < certificate.NotBefore || at > certificate.NotAfter)
            reasons.Refuse(AttestationCheck.ChainTime, $"{Name(index)} is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}");
        if (certificate.OtherCritical.FirstOrDefault(identifier => !rules.KnownExtensions.Contains(identifier)) is { } unknown)
            reasons.Refuse(AttestationCheck.Chain, $"{Name(index)} has the critical extension {unknown}");
        if (rules.Denied.Denies(certificate.Issuer, certificate.Serial)) reasons.Refuse(AttestationCheck.Revoked, $"{Name(index)} is on the policy's deny list");
        if (isLeaf) CheckLeaf(certificate, rules, reasons);
        else CheckIssuer(fields, index, reasons);
    }

    private static void CheckLeaf(CertificateFields leaf, PathRules rules, ReasonList reasons)
    {
        if (leaf.IsAuthority) reasons.Refuse(AttestationCheck.Chain, $"{Name(0)} is a certificate authority");
        if (rules.LeafHasKeyUsage && leaf.Usages is not { DigitalSignature: true }) reasons.Refuse(AttestationCheck.Chain, $"{Name(0)} is not for digital signatures");
    }

    private static void CheckIssuer(CertificateFields[] fields, int index, ReasonList reasons)
    {
        var issuer = fields[index];
        if (!issuer.IsAuthority) reasons.Refuse(AttestationCheck.Chain, $"{Name(index)} is no certificate authority");
        if (issuer.Usages is not { CertificateSign: true }) reasons.Refuse(AttestationCheck.Chain, $"{Name(index)} is not for signing certificates");
        // Every issuer between this one and the leaf counts, self-issued ones too.
        if (issuer.PathLength < index - 1) reasons.Refuse(AttestationCheck.Chain, $"{Name(index)} allows {issuer.PathLength} issuers below, not {index - 1}");
    }

    // Each is signed by the next one, the last by itself.
    private static void CheckSignatures(CertificateFields[] fields, X509Certificate2[] certificates, ReasonList reasons)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            var issuer = Math.Min(i + 1, fields.Length - 1);
            if (!fields[i].Issuer.Span.SequenceEqual(fields[issuer].Subject.Span)) reasons.Refuse(AttestationCheck.Chain, $"{Name(i)} names another issuer than {Name(issuer)}");
            if (fields[i].Scheme is not { } scheme || !scheme.Holds(certificates[issuer], fields[i].Signed.Span, fields[i].Signature.Span))
                reasons.Refuse(AttestationCheck.Chain, $"{Name(i)} is not signed by {Name(issuer)}");
        }
    }

    private static void CheckRoot(CertificateFields root, PathRules rules, ReasonList reasons)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(root.Der.Span));
        if (!rules.Roots.Contains(digest)) reasons.Refuse(AttestationCheck.Root, $"the root {digest} is not pinned");
    }

    private static bool Allows(KeyRule rule, CertificateFields certificate, bool isLeaf)
    {
        if (certificate.Scheme is not { } scheme) return false;
        return rule switch
        {
            KeyRule.P384 => certificate.Key.Type == KeyType.P384 && scheme == new SignatureScheme(SignatureKind.Ecdsa, HashAlgorithmName.SHA384),
            KeyRule.P256 => certificate.Key.Type == KeyType.P256 && scheme == new SignatureScheme(SignatureKind.Ecdsa, HashAlgorithmName.SHA256),
            KeyRule.Rsa4096Pss => scheme == new SignatureScheme(SignatureKind.RsaPss, HashAlgorithmName.SHA384)
                && (certificate.Key == new KeyShape(KeyType.Rsa, 4096) || (isLeaf && certificate.Key.Type == KeyType.P384)),
            KeyRule.Any => certificate.Key.Type is KeyType.P256 or KeyType.P384 || certificate.Key is { Type: KeyType.Rsa, Bits: >= 2048 },
            _ => false,
        };
    }

    private static string Name(int index) => index == 0 ? "the leaf" : $"certificate {index} from the leaf";
}
