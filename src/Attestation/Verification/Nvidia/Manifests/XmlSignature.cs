using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>
/// The one form of XML signature (XMLDSig 1.1) that manifests carry: enveloped, over the whole document, Canonical XML 1.1, SHA-384, ECDSA
/// over P-384. Every element of it must be there, in this order, and no other: what is signed cannot be chosen.
/// </summary>
internal sealed class XmlSignature
{
    public const string Space = "http://www.w3.org/2000/09/xmldsig#";
    public const int MostCertificates = 8;

    private const string Canonical = "http://www.w3.org/2006/12/xml-c14n11", Enveloped = Space + "enveloped-signature";
    private const string EcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";

    private readonly XmlPart _element, _signed;
    private readonly byte[] _digest, _value;

    private XmlSignature(XmlPart element)
    {
        _element = element;
        var parts = Only(element, null, "SignedInfo", "SignatureValue", "KeyInfo");
        _signed = parts[0];
        _digest = ReadSigned(_signed);
        _value = Bytes(parts[1], 96);
        Certificates = ReadCertificates(parts[2]);
    }

    /// <summary>DER, in the signature's order: leaf first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; }

    /// <param name="document">The root, whose direct child the signature is.</param>
    /// <exception cref="FormatException">There is not exactly one signature, or it is of another form.</exception>
    public static XmlSignature Of(XmlPart document)
    {
        if (Count(document) != 1) throw new FormatException("not exactly one signature");
        return new XmlSignature(document.Parts().FirstOrDefault(IsSignature) ?? throw new FormatException("the signature is not the document's own"));
    }

    /// <summary>Whether the document has the signed digest, and the key signed it.</summary>
    public bool Holds(XmlPart document, X509Certificate2 signer)
    {
        if (!SHA384.HashData(CanonicalXml.Write(document, [], _element)).AsSpan().SequenceEqual(_digest)) return false;
        using var key = signer.GetECDsaPublicKey();
        return key is { KeySize: 384 }
            && key.VerifyData(CanonicalXml.Write(_signed, [document, _element]), _value, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static bool IsSignature(XmlPart part) => part.Is(Space, "Signature");

    private static int Count(XmlPart part) => part.Content.Sum(content => content.Part is { } child ? Count(child) : 0) + (IsSignature(part) ? 1 : 0);

    private static byte[] ReadSigned(XmlPart signed)
    {
        var parts = Only(signed, null, "CanonicalizationMethod", "SignatureMethod", "Reference");
        Method(parts[0], Canonical);
        Method(parts[1], EcdsaSha384);
        var reference = Only(parts[2], "URI", "Transforms", "DigestMethod", "DigestValue");
        if (parts[2].Field("URI") is not "") throw new FormatException("the signature is not over the whole document");
        var transforms = Only(reference[0], null, "Transform", "Transform");
        Method(transforms[0], Enveloped);
        Method(transforms[1], Canonical);
        Method(reference[1], Sha384);
        return Bytes(reference[2], 48);
    }

    private static List<ReadOnlyMemory<byte>> ReadCertificates(XmlPart keyInfo)
    {
        var data = Only(keyInfo, null, "X509Data")[0];
        var certificates = data.Parts();
        if (certificates.Count is 0 or > MostCertificates) throw new FormatException($"{certificates.Count} certificates");
        Only(data, null, [.. certificates.Select(_ => "X509Certificate")]);
        return [.. certificates.Select(certificate => (ReadOnlyMemory<byte>)Bytes(certificate, null))];
    }

    private static void Method(XmlPart part, string algorithm)
    {
        Only(part, "Algorithm");
        if (part.Field("Algorithm") != algorithm) throw new FormatException($"{part.Name} names another algorithm");
    }

    // Exactly these elements, and this attribute or none.
    private static IReadOnlyList<XmlPart> Only(XmlPart part, string? field, params string[] children)
    {
        var hasFields = field is null ? part.Fields.Count == 0 : part.Fields.Count == 1 && part.Field(field) is not null;
        if (!hasFields) throw new FormatException($"{part.Name} has other attributes");
        var parts = part.Parts();
        if (parts.Any(child => child.Namespace != Space) || !parts.Select(child => child.Name).SequenceEqual(children)) throw new FormatException($"{part.Name} holds other elements");
        return parts;
    }

    private static byte[] Bytes(XmlPart part, int? size)
    {
        if (part.Fields.Count > 0) throw new FormatException($"{part.Name} has attributes");
        var text = part.Text();
        if (!Base64.IsValid(text, out var length) || length == 0 || (size is { } expected && length != expected)) throw new FormatException($"{part.Name} is not base64 of its size");
        var bytes = new byte[length];
        return Convert.TryFromBase64String(text, bytes, out var written) && written == length ? bytes : throw new FormatException($"{part.Name} is not base64");
    }
}
