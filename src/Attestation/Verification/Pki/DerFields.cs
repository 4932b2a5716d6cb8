using System.Formats.Asn1;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>Fields that certificates and revocation lists share (RFC 5280, 4.1).</summary>
internal static class DerFields
{
    private const int LastYearOfTwoDigits = 2049;

    public static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, true);

    /// <summary>UTCTime or GeneralizedTime, without fractions of a second.</summary>
    public static DateTimeOffset ReadTime(AsnReader reader)
    {
        if (IsTime(reader, UniversalTagNumber.UtcTime)) return reader.ReadUtcTime(LastYearOfTwoDigits);
        var time = reader.ReadGeneralizedTime();
        return time.Ticks % TimeSpan.TicksPerSecond == 0 ? time : throw new AsnContentException("a time has fractions of a second");
    }

    public static bool NextIsTime(AsnReader reader) =>
        reader.HasData && (IsTime(reader, UniversalTagNumber.UtcTime) || IsTime(reader, UniversalTagNumber.GeneralizedTime));

    /// <summary>A BIT STRING of whole bytes.</summary>
    public static ReadOnlyMemory<byte> ReadWholeBits(AsnReader reader)
    {
        var bits = reader.ReadBitString(out var unused);
        return unused == 0 ? bits : throw new AsnContentException("a bit string of whole bytes has unused bits");
    }

    /// <summary>Extensions by identifier, in a SEQUENCE. One of them twice is an error.</summary>
    public static Dictionary<string, (bool IsCritical, ReadOnlyMemory<byte> Value)> ReadExtensions(AsnReader reader)
    {
        var extensions = new Dictionary<string, (bool, ReadOnlyMemory<byte>)>(StringComparer.Ordinal);
        var list = reader.ReadSequence();
        while (list.HasData)
        {
            var extension = list.ReadSequence();
            var identifier = extension.ReadObjectIdentifier();
            var isCritical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            var value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (!extensions.TryAdd(identifier, (isCritical, value))) throw new AsnContentException("an extension stands twice");
        }

        return extensions;
    }

    /// <summary>An integer's bytes without the sign's leading zero, so that two spellings of a serial number are one.</summary>
    public static ReadOnlySpan<byte> Significant(ReadOnlySpan<byte> integer)
    {
        while (integer.Length > 1 && integer[0] == 0) integer = integer[1..];
        return integer;
    }

    private static bool IsTime(AsnReader reader, UniversalTagNumber number) => reader.PeekTag().HasSameClassAndValue(new Asn1Tag(number));
}
