using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>What a device's certificate says of the device.</summary>
/// <param name="Product">"GH100".</param>
/// <param name="Serial">The device's own number, lower-case hexadecimal.</param>
/// <param name="Firmware">The digest of the firmware that holds the key (the first FWID); null where the certificate has none.</param>
internal sealed record DeviceCertificate(string Product, string Serial, ReadOnlyMemory<byte>? Firmware)
{
    private const string AlternativeName = "2.5.29.17", SpdmDevice = "1.3.6.1.4.1.412.274.1", Sha384 = "2.16.840.1.101.3.4.2.2";

    // TCG DICE Attestation Architecture, 6.1.1 and, of an earlier draft, the composite device identity that Hopper carries.
    private const string TcbInfo = "2.23.133.5.4.1.1", CompositeIdentity = "2.23.133.5.4.1";

    /// <summary>A switch measures itself by other rules than a graphics processor.</summary>
    public bool IsSwitch => Product == "LS_10";

    /// <summary>As manifests write it: "LS10".</summary>
    public string ManifestProduct => Product.Replace("_", "", StringComparison.Ordinal);

    /// <returns>Null where the certificate does not name a device of this vendor (DSP0274, 10.8.2).</returns>
    public static DeviceCertificate? Read(X509Certificate2 leaf)
    {
        try
        {
            if (Value(leaf, AlternativeName) is not { } names || DeviceName(names) is not [var vendor, var product, var serial]) return null;
            if (vendor != "NVIDIA" || !IsName(product) || !IsName(serial)) return null;
            var firmware = Value(leaf, TcbInfo) is { } info ? FromTcbInfo(info) : Value(leaf, CompositeIdentity) is { } identity ? FromIdentity(identity) : null;
            return new DeviceCertificate(product, serial.ToLowerInvariant(), firmware);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    // "NVIDIA:GH100:48B02DF44660DA06" as the only name, in an otherName.
    private static string[]? DeviceName(ReadOnlyMemory<byte> value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var names = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var other = names.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true));
        names.ThrowIfNotEmpty();
        if (other.ReadObjectIdentifier() != SpdmDevice) return null;
        var text = other.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true));
        other.ThrowIfNotEmpty();
        var name = text.ReadCharacterString(UniversalTagNumber.UTF8String);
        text.ThrowIfNotEmpty();
        return name.Split(':');
    }

    // Version, subject's key, FWID.
    private static ReadOnlyMemory<byte>? FromIdentity(ReadOnlyMemory<byte> value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var fields = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        fields.ReadIntegerBytes();
        fields.ReadEncodedValue();
        return ReadFirmware(fields.ReadSequence());
    }

    // Of the optional fields, [6] is the list of FWIDs.
    private static ReadOnlyMemory<byte>? FromTcbInfo(ReadOnlyMemory<byte> value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var fields = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var list = new Asn1Tag(TagClass.ContextSpecific, 6, true);
        while (fields.HasData)
        {
            if (fields.PeekTag() == list) return ReadFirmware(fields.ReadSequence(list).ReadSequence());
            fields.ReadEncodedValue();
        }

        return null;
    }

    // A bare null would convert to empty memory.
    private static ReadOnlyMemory<byte>? ReadFirmware(AsnReader firmware) =>
        firmware.ReadObjectIdentifier() == Sha384 ? firmware.ReadOctetString() : default(ReadOnlyMemory<byte>?);

    private static ReadOnlyMemory<byte>? Value(X509Certificate2 leaf, string identifier) =>
        leaf.Extensions.FirstOrDefault(extension => extension.Oid?.Value == identifier) is { } found ? found.RawData : (ReadOnlyMemory<byte>?)null;

    private static bool IsName(string text) => text.Length is > 0 and <= 32 && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
