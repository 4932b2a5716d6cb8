using System.Formats.Asn1;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

internal enum KeyType
{
    /// <summary>Any other; no rule allows it.</summary>
    Unknown,
    P256,
    P384,
    Rsa,
}

/// <summary>Type and size of a public key (RFC 5480, 3279).</summary>
/// <param name="Bits">Of an RSA modulus; 0 for others.</param>
internal readonly record struct KeyShape(KeyType Type, int Bits)
{
    // More would let a certificate cost seconds.
    private const int MostRsaBits = 8192;
    private const int MostExponentBytes = 4;

    /// <exception cref="AsnContentException">Not a SubjectPublicKeyInfo.</exception>
    public static KeyShape Read(AsnReader reader)
    {
        var info = reader.ReadSequence();
        var algorithm = info.ReadSequence();
        var bits = DerFields.ReadWholeBits(info);
        info.ThrowIfNotEmpty();
        switch (algorithm.ReadObjectIdentifier())
        {
            case "1.2.840.10045.2.1":
                return ReadCurve(algorithm, bits);
            case "1.2.840.113549.1.1.1":
                algorithm.ReadNull();
                algorithm.ThrowIfNotEmpty();
                return ReadRsa(bits);
            default:
                return default;
        }
    }

    // Points stand uncompressed. Explicit curve parameters (a SEQUENCE) fail to read as an identifier.
    private static KeyShape ReadCurve(AsnReader algorithm, ReadOnlyMemory<byte> point)
    {
        var curve = algorithm.ReadObjectIdentifier();
        algorithm.ThrowIfNotEmpty();
        return (curve, point.Length) switch
        {
            ("1.2.840.10045.3.1.7", 65) when point.Span[0] == 4 => new KeyShape(KeyType.P256, 0),
            ("1.3.132.0.34", 97) when point.Span[0] == 4 => new KeyShape(KeyType.P384, 0),
            _ => default,
        };
    }

    private static KeyShape ReadRsa(ReadOnlyMemory<byte> key)
    {
        var outer = new AsnReader(key, AsnEncodingRules.DER);
        var fields = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var modulus = fields.ReadIntegerBytes().Span;
        var exponent = fields.ReadIntegerBytes().Span;
        fields.ThrowIfNotEmpty();
        if ((modulus[0] & 0x80) != 0 || (exponent[0] & 0x80) != 0) return default;
        modulus = DerFields.Significant(modulus);
        exponent = DerFields.Significant(exponent);
        var bits = 8 * modulus.Length - byte.LeadingZeroCount(modulus[0]);
        if (bits > MostRsaBits || (modulus[^1] & 1) == 0) return default;
        if (exponent.Length > MostExponentBytes || (exponent[^1] & 1) == 0 || (exponent.Length == 1 && exponent[0] == 1)) return default;
        return new KeyShape(KeyType.Rsa, bits);
    }
}
