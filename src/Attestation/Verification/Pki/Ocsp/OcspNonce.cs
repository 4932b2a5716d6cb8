using System.Formats.Asn1;

namespace OpenGradient.Engine.Attestation.Verification.Pki.Ocsp;

/// <summary>The nonce that ties an answer to the request it was made for (RFC 9654, 2.1).</summary>
internal static class OcspNonce
{
    public const string Identifier = "1.3.6.1.5.5.7.48.1.2";

    /// <summary>Collateral: beside an answer's file, under its name with this behind it, the nonce that the request had.</summary>
    public const string FileSuffix = ".nonce";

    private const int Largest = 128;

    /// <summary>Of the extension's value.</summary>
    /// <exception cref="AsnContentException">Not exactly one octet string of 1 to 128 bytes.</exception>
    public static ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var nonce = reader.ReadOctetString();
        reader.ThrowIfNotEmpty();
        return nonce.Length is > 0 and <= Largest ? nonce : throw new AsnContentException("a nonce of another length");
    }

    /// <summary>
    /// Whether the answer is to the request that had this nonce. One without a nonce is refused as one with another is: an answer of before
    /// looks exactly so, and nothing but the time would bound its age.
    /// </summary>
    /// <param name="name">Of the answer's file, for people.</param>
    public static void Check(string name, ReadOnlyMemory<byte>? answered, ReadOnlyMemory<byte> sent, ReasonList reasons)
    {
        if (answered is not { } nonce) reasons.Refuse(AttestationCheck.Revocation, $"{name} has no nonce, and one was sent");
        else if (!nonce.Span.SequenceEqual(sent.Span)) reasons.Refuse(AttestationCheck.Revocation, $"{name} has another nonce than the one that was sent");
    }
}
