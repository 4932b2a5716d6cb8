using System.Formats.Asn1;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>A certificate's fields as they are encoded (RFC 5280, 4.1), read strictly.</summary>
internal sealed class CertificateFields
{
    private const string KeyUsageIdentifier = "2.5.29.15";
    private const string BasicConstraintsIdentifier = "2.5.29.19";

    private CertificateFields(ReadOnlyMemory<byte> der) => Der = der;

    public ReadOnlyMemory<byte> Der { get; }

    public ReadOnlyMemory<byte> Signed { get; private init; }

    /// <summary>Null for an algorithm that is not known.</summary>
    public SignatureScheme? Scheme { get; private init; }

    public ReadOnlyMemory<byte> Signature { get; private init; }

    public ReadOnlyMemory<byte> Serial { get; private init; }

    public ReadOnlyMemory<byte> Issuer { get; private init; }

    public ReadOnlyMemory<byte> Subject { get; private init; }

    public DateTimeOffset NotBefore { get; private init; }

    public DateTimeOffset NotAfter { get; private init; }

    public KeyShape Key { get; private init; }

    /// <summary>Basic constraints say CA:TRUE.</summary>
    public bool IsAuthority { get; private set; }

    /// <summary>How many issuers may stand below; null: any number.</summary>
    public int? PathLength { get; private set; }

    /// <summary>Null where the extension is absent.</summary>
    public KeyUsages? Usages { get; private set; }

    /// <summary>Critical extensions other than the two that are read here.</summary>
    public IReadOnlyList<string> OtherCritical { get; private set; } = [];

    /// <returns>Null where the bytes are not exactly one certificate of version 3 or 1.</returns>
    public static CertificateFields? Read(ReadOnlyMemory<byte> der)
    {
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var certificate = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var signed = certificate.ReadEncodedValue();
            var algorithm = certificate.ReadEncodedValue();
            var signature = DerFields.ReadWholeBits(certificate);
            certificate.ThrowIfNotEmpty();
            return ReadSigned(der, signed, algorithm, signature);
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static CertificateFields? ReadSigned(ReadOnlyMemory<byte> der, ReadOnlyMemory<byte> signed, ReadOnlyMemory<byte> algorithm, ReadOnlyMemory<byte> signature)
    {
        var fields = new AsnReader(signed, AsnEncodingRules.DER).ReadSequence();
        var version = fields.PeekTag().HasSameClassAndValue(DerFields.Context0) ? ReadVersion(fields) : 0;
        if (version is not (0 or 2)) return null;
        var serial = fields.ReadIntegerBytes();
        // The signature does not cover the outer copy.
        if (!fields.ReadEncodedValue().Span.SequenceEqual(algorithm.Span)) return null;
        var issuer = fields.ReadEncodedValue();
        var validity = fields.ReadSequence();
        var (notBefore, notAfter) = (DerFields.ReadTime(validity), DerFields.ReadTime(validity));
        validity.ThrowIfNotEmpty();
        var subject = fields.ReadEncodedValue();
        var result = new CertificateFields(der)
        {
            Signed = signed, Scheme = SignatureScheme.Read(algorithm), Signature = signature, Serial = serial,
            Issuer = issuer, Subject = subject, NotBefore = notBefore, NotAfter = notAfter, Key = KeyShape.Read(fields),
        };
        result.ReadExtensions(fields, version);
        return result;
    }

    private static int ReadVersion(AsnReader fields)
    {
        var wrapped = fields.ReadSequence(DerFields.Context0);
        var isSmall = wrapped.TryReadInt32(out var version);
        wrapped.ThrowIfNotEmpty();
        return isSmall ? version : -1;
    }

    // The unique identifiers of version 2 ([1], [2]) are refused: no vendor writes them.
    private void ReadExtensions(AsnReader fields, int version)
    {
        if (!fields.HasData) return;
        if (version != 2) throw new AsnContentException("only version 3 has extensions");
        var wrapped = fields.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, true));
        fields.ThrowIfNotEmpty();
        var extensions = DerFields.ReadExtensions(wrapped);
        wrapped.ThrowIfNotEmpty();
        if (extensions.TryGetValue(BasicConstraintsIdentifier, out var constraints)) ReadBasicConstraints(constraints.Value);
        if (extensions.TryGetValue(KeyUsageIdentifier, out var usage)) Usages = ReadUsages(usage.Value);
        OtherCritical = [.. extensions.Where(entry => entry.Value.IsCritical).Select(entry => entry.Key).Where(key => key is not (KeyUsageIdentifier or BasicConstraintsIdentifier))];
    }

    private void ReadBasicConstraints(ReadOnlyMemory<byte> value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var fields = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        IsAuthority = fields.HasData && fields.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && fields.ReadBoolean();
        if (fields.HasData)
        {
            if (!fields.TryReadInt32(out var length) || length < 0) throw new AsnContentException("a path length is a small number");
            PathLength = length;
        }

        fields.ThrowIfNotEmpty();
    }

    // Bit 0 of the list is the first byte's highest (RFC 5280, 4.2.1.3).
    private static KeyUsages ReadUsages(ReadOnlyMemory<byte> value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var bits = reader.ReadBitString(out _);
        reader.ThrowIfNotEmpty();
        var first = bits.Length > 0 ? bits[0] : 0;
        return new KeyUsages((first & 0x80) != 0, (first & 0x04) != 0, (first & 0x02) != 0);
    }
}

/// <summary>The usages that are asked for here.</summary>
internal readonly record struct KeyUsages(bool DigitalSignature, bool CertificateSign, bool ListSign);
