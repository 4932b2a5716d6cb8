using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>What AMD certifies of a signing key: product, firmware versions, chip or provider (AMD 57230).</summary>
internal sealed record SnpEndorsement
{
    private const string Arc = "1.3.6.1.4.1.3704.1.", HwId = Arc + "4", Csp = Arc + "5";

    private const int HwIdSize = 64, ShortHwIdSize = 8;

    public required SnpSigner Key { get; init; }

    public required SnpProduct Product { get; init; }

    public required SnpTcb Tcb { get; init; }

    /// <summary>The chip, as CHIP_ID shows it: 64 bytes. Empty for a provider's key.</summary>
    public required byte[] Chip { get; init; }

    /// <summary>The provider; null for a chip's key.</summary>
    public string? Provider { get; init; }

    /// <summary>Null, with a reason, where the certificate is not one of AMD's signing keys.</summary>
    public static SnpEndorsement? Read(X509Certificate2 leaf, ReasonList reasons)
    {
        if (KeyOf(leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false)) is not { } key) return Refuse(reasons, AttestationCheck.Key, "the leaf's name is not one of a signing key");
        var extensions = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var extension in leaf.Extensions)
        {
            if (extension.Oid?.Value is { } oid && !extensions.TryAdd(oid, extension.RawData)) return Refuse(reasons, AttestationCheck.Encoding, $"the leaf has extension {oid} twice");
        }

        try
        {
            return Read(key, extensions, reasons);
        }
        catch (AsnContentException error)
        {
            return Refuse(reasons, AttestationCheck.Encoding, $"an extension of the leaf: {error.Message}");
        }
    }

    private static SnpEndorsement? Read(SnpSigner key, Dictionary<string, byte[]> extensions, ReasonList reasons)
    {
        var name = extensions.TryGetValue(Arc + "2", out var bytes) ? Text(bytes) : null;
        if (SnpProductName.OfLeaf(name) is not { } product) return Refuse(reasons, AttestationCheck.Platform, "the leaf names no known product");
        var numbers = new byte[10];
        foreach (var index in product == SnpProduct.Turin ? (int[])[1, 2, 3, 8, 9] : [1, 2, 3, 8])
        {
            if (!extensions.TryGetValue($"{Arc}3.{index}", out var value)) return Refuse(reasons, AttestationCheck.Encoding, $"the leaf lacks the firmware version {index}");
            numbers[index] = Number(value);
        }

        // Versions without a component yet. A report has no place for them but zero.
        for (var index = 4; index < 8; index++)
        {
            if (extensions.TryGetValue($"{Arc}3.{index}", out var value) && Number(value) != 0) return Refuse(reasons, AttestationCheck.Reserved, $"the leaf's firmware version {index} is not zero");
        }

        // A key is a chip's or a provider's. One that says both could be taken for either.
        if (extensions.ContainsKey(key == SnpSigner.Vcek ? Csp : HwId)) return Refuse(reasons, AttestationCheck.Key, "the leaf names a chip and a provider");
        byte[] chip = [];
        string? provider = null;
        if (key == SnpSigner.Vcek)
        {
            if (!extensions.TryGetValue(HwId, out var hwId) || ChipOf(product, hwId) is not { } found) return Refuse(reasons, AttestationCheck.Encoding, "the leaf's hwID is missing or of a wrong size");
            chip = found;
        }
        else
        {
            provider = extensions.TryGetValue(Csp, out var csp) ? Text(csp) : null;
            if (provider is null) return Refuse(reasons, AttestationCheck.Encoding, "the leaf names no provider");
        }

        var tcb = new SnpTcb(numbers[9], numbers[1], numbers[2], numbers[3], numbers[8]);
        return new SnpEndorsement { Key = key, Product = product, Tcb = tcb, Chip = chip, Provider = provider };
    }

    private static SnpSigner? KeyOf(string commonName) => commonName switch { "SEV-VCEK" => SnpSigner.Vcek, "SEV-VLEK" => SnpSigner.Vlek, _ => null };

    // AMD writes the bare bytes; certificates with an OCTET STRING around them exist. Turin's has 8 bytes, which CHIP_ID fills up with zeros.
    private static byte[]? ChipOf(SnpProduct product, byte[] value)
    {
        var size = product == SnpProduct.Turin && value.Length is ShortHwIdSize or ShortHwIdSize + 2 ? ShortHwIdSize : HwIdSize;
        if (value.Length == size + 2) value = AsnDecoder.ReadOctetString(value, AsnEncodingRules.DER, out _);
        if (value.Length != size) return null;
        var chip = new byte[HwIdSize];
        value.CopyTo(chip, 0);
        return chip;
    }

    private static byte Number(byte[] der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        if (!reader.TryReadInt32(out var number) || number is < 0 or > byte.MaxValue) throw new AsnContentException("a firmware version outside 0 to 255");
        reader.ThrowIfNotEmpty();
        return (byte)number;
    }

    private static string Text(byte[] der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var text = reader.ReadCharacterString(UniversalTagNumber.IA5String);
        reader.ThrowIfNotEmpty();
        return text;
    }

    private static SnpEndorsement? Refuse(ReasonList reasons, AttestationCheck check, string detail)
    {
        reasons.Refuse(check, detail);
        return null;
    }
}
