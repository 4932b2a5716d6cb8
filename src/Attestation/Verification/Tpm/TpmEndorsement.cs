using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>The endorsement key's certificate, and how the quote's signer descends from it.</summary>
internal static class TpmEndorsement
{
    /// <summary>Collateral: issuers of endorsement certificates up to a root, PEM, in that order. A TPM itself holds only its own certificate.</summary>
    public const string IssuersFile = "tpm-ek-issuers.pem";

    private const string EndorsementUsage = "2.23.133.8.1";
    private const string SubjectAlternativeName = "2.5.29.17";
    private const int LargestIssuers = 64 * 1024, MostIssuers = 6;

    // TPM_RH_ENDORSEMENT, which is its own name.
    private static readonly byte[] Hierarchy = [0x40, 0, 0, 0x0b];

    /// <summary>Judges the path, and gives the endorsement key's name where the key is made from a usual template.</summary>
    public static byte[]? Check(TpmEvidence evidence, VerificationContext context, TpmPolicy policy, ReasonList reasons)
    {
        if (evidence.Endorsement.Count == 0)
        {
            if (policy.RequireEndorsement) reasons.Miss(AttestationCheck.Chain, "no endorsement certificate");
            return null;
        }

        if (ReadIssuers(context, reasons) is not { } issuers) return null;
        var rules = new PathRules
        {
            Keys = KeyRule.Any, Roots = [.. policy.Roots], Denied = context.Policy.Denied, LeafHasKeyUsage = false, KnownExtensions = [SubjectAlternativeName],
        };
        if (CertificatePath.Check([.. evidence.Endorsement, .. issuers], context.At, rules, reasons) is not { } path) return null;
        try
        {
            if (!HasUsage(path[0])) reasons.Refuse(AttestationCheck.Chain, $"the endorsement certificate is not for {EndorsementUsage}");
            return NameOf(path[0]);
        }
        catch (CryptographicException)
        {
            reasons.Refuse(AttestationCheck.Encoding, "the endorsement certificate's key or its usages cannot be read");
            return null;
        }
        finally
        {
            foreach (var certificate in path) certificate.Dispose();
        }
    }

    /// <summary>A primary key of the endorsement hierarchy, or a child of the endorsement key. Others hang below something nobody vouches for.</summary>
    public static bool Descends(byte[] keyName, ReadOnlySpan<byte> qualifiedSigner, byte[]? endorsementName) =>
        qualifiedSigner.SequenceEqual(Below(Hierarchy, keyName))
        || (endorsementName is not null && qualifiedSigner.SequenceEqual(Below(Below(Hierarchy, endorsementName), keyName)));

    private static byte[] Below(byte[] parent, byte[] name) => [0, (byte)TpmAlgorithm.Sha256, .. SHA256.HashData([.. parent, .. name])];

    private static bool HasUsage(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(extension => extension.EnhancedKeyUsages.Cast<Oid>().Any(usage => usage.Value == EndorsementUsage));

    private static byte[]? NameOf(X509Certificate2 certificate)
    {
        using var key = TpmEndorsementKey.Read(certificate);
        return key is null ? null : TpmEndorsementKey.NameOf(key);
    }

    private static List<ReadOnlyMemory<byte>>? ReadIssuers(VerificationContext context, ReasonList reasons)
    {
        var issuers = new List<ReadOnlyMemory<byte>>();
        if (!context.Collateral.TryGetValue(IssuersFile, out var file)) return issuers;
        if (file.Length > LargestIssuers)
        {
            reasons.Refuse(AttestationCheck.Size, $"{IssuersFile} is {file.Length} bytes");
            return null;
        }

        var text = System.Text.Encoding.Latin1.GetString(file.Span).AsSpan();
        while (PemEncoding.TryFind(text, out var fields))
        {
            if (issuers.Count == MostIssuers || !text[fields.Label].SequenceEqual("CERTIFICATE"))
            {
                reasons.Refuse(AttestationCheck.Collateral, $"{IssuersFile} holds something else than at most {MostIssuers} certificates");
                return null;
            }

            var der = new byte[fields.DecodedDataLength];
            _ = Convert.TryFromBase64Chars(text[fields.Base64Data], der, out _);
            issuers.Add(der);
            text = text[fields.Location.End..];
        }

        return issuers;
    }
}
