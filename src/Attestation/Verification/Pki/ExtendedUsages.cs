using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>What a certificate says it is for beyond its key usage (RFC 5280, 4.2.1.12).</summary>
internal static class ExtendedUsages
{
    public const string Identifier = "2.5.29.37";

    /// <returns>Object identifiers; null where the certificate is for anything; empty where the extension cannot be read.</returns>
    public static IReadOnlyList<string>? Of(X509Certificate2 certificate)
    {
        if (certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == Identifier) is not { } extension) return null;
        try
        {
            var outer = new AsnReader(extension.RawData, AsnEncodingRules.DER);
            var list = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var usages = new List<string>();
            while (list.HasData) usages.Add(list.ReadObjectIdentifier());
            return usages;
        }
        catch (AsnContentException)
        {
            return [];
        }
    }
}
