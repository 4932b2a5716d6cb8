using System.Buffers.Text;
using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>Certificates in PEM (RFC 7468), one after the other with nothing but white space between.</summary>
internal static class PemChain
{
    public const int Largest = 32 * 1024, MostCertificates = 8;

    private const string Start = "-----BEGIN CERTIFICATE-----", End = "-----END CERTIFICATE-----";

    /// <returns>DER in the file's order; null, with a reason (Size, Encoding), where it is anything else.</returns>
    public static IReadOnlyList<ReadOnlyMemory<byte>>? Read(ReadOnlyMemory<byte> pem, string name, ReasonList reasons)
    {
        if (pem.Length > Largest)
        {
            reasons.Refuse(AttestationCheck.Size, $"{name} is {pem.Length} bytes; {Largest} are allowed");
            return null;
        }

        if (pem.Span.ContainsAnyExceptInRange((byte)0, (byte)127) || Split(Encoding.ASCII.GetString(pem.Span)) is not { } certificates)
        {
            reasons.Refuse(AttestationCheck.Encoding, $"{name} is not one to {MostCertificates} certificates in PEM");
            return null;
        }

        return certificates;
    }

    private static List<ReadOnlyMemory<byte>>? Split(string text)
    {
        var certificates = new List<ReadOnlyMemory<byte>>();
        for (var rest = text.AsSpan().Trim(); !rest.IsEmpty;)
        {
            if (!rest.StartsWith(Start, StringComparison.Ordinal) || certificates.Count == MostCertificates) return null;
            var end = rest.IndexOf(End, StringComparison.Ordinal);
            if (end < 0) return null;
            var base64 = rest[Start.Length..end];
            if (!Base64.IsValid(base64, out var size) || size == 0) return null;
            var der = new byte[size];
            if (!Convert.TryFromBase64Chars(base64, der, out var written) || written != size) return null;
            certificates.Add(der);
            rest = rest[(end + End.Length)..].TrimStart();
        }

        return certificates.Count > 0 ? certificates : null;
    }
}
