using System.Buffers;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>
/// A reference integrity manifest as the vendor publishes it: a SWID tag (ISO/IEC 19770-2:2015) of TCG's RIM information model, with the
/// measurements that a driver or a firmware gives. Read strictly; nothing in it is judged here.
/// </summary>
internal sealed class ReferenceManifest
{
    public const int Largest = 256 * 1024;

    private const string Space = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd", HashSpace = "http://www.w3.org/2001/04/xmlenc#sha384";
    private const int MostAlternatives = 16;

    private static readonly SearchValues<char> VersionLetters = SearchValues.Create("0123456789abcdefABCDEF.");
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly XmlPart _document;
    private readonly XmlSignature _signature;

    private ReferenceManifest(XmlPart document)
    {
        _document = document;
        if (!document.Is(Space, "SoftwareIdentity")) throw new FormatException("not a software identity");
        foreach (var kind in (string[])["corpus", "patch", "supplemental"])
        {
            if (document.Field(kind) is not (null or "false")) throw new FormatException($"a {kind} tag is no base manifest");
        }

        _signature = XmlSignature.Of(document);
        var meta = One("Meta");
        Product = meta.Field("product") ?? throw new FormatException("no product");
        Version = meta.Field("colloquialVersion") is { Length: > 0 and <= 32 } version && !version.AsSpan().ContainsAnyExcept(VersionLetters)
            ? version
            : throw new FormatException("no version");
        Measurements = ReadMeasurements(One("Payload"));
    }

    /// <summary>"GH100".</summary>
    public string Product { get; }

    /// <summary>Of the driver or firmware: "550.144.03", "96.00.5E.00.01".</summary>
    public string Version { get; }

    /// <summary>By index from 0 (a report's block is one more), the digests of which one must be measured; lower-case hexadecimal. Inactive ones are left out.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Measurements { get; }

    /// <summary>The signer's path, leaf first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Certificates => _signature.Certificates;

    /// <exception cref="FormatException">Anything else.</exception>
    public static ReferenceManifest Read(ReadOnlyMemory<byte> file) =>
        file.Length <= Largest ? new ReferenceManifest(StrictXml.Read(file)) : throw new FormatException($"{file.Length} bytes; {Largest} are allowed");

    public bool IsSignedBy(X509Certificate2 signer) => _signature.Holds(_document, signer);

    // What else the vendor writes beside is signed as well, and says nothing here.
    private XmlPart One(string name)
    {
        var found = _document.Parts().Where(part => part.Is(Space, name)).ToArray();
        return found.Length == 1 ? found[0] : throw new FormatException($"{found.Length} elements {name}");
    }

    private static Dictionary<int, IReadOnlyList<string>> ReadMeasurements(XmlPart payload)
    {
        var active = new Dictionary<int, IReadOnlyList<string>>();
        var seen = new HashSet<int>();
        foreach (var resource in payload.Parts())
        {
            if (!resource.Is(Space, "Resource") || resource.Field("type") != "Measurement" || resource.Parts().Count > 0) throw new FormatException("a payload other than measurements");
            var index = Number(resource, "index", 254);
            if (!seen.Add(index)) throw new FormatException($"measurement {index} occurs twice");
            if (Number(resource, "size", SpdmReport.DigestSize) != SpdmReport.DigestSize) throw new FormatException($"measurement {index} is of another size");
            var values = ReadValues(resource, index);
            switch (resource.Field("active"))
            {
                case "True":
                    active.Add(index, values);
                    break;
                case "False":
                    break;
                default:
                    throw new FormatException($"measurement {index} is neither active nor inactive");
            }
        }

        return active.Count > 0 ? active : throw new FormatException("no active measurement");
    }

    private static string[] ReadValues(XmlPart resource, int index)
    {
        var values = new string[Number(resource, "alternatives", MostAlternatives)];
        if (values.Length == 0 || resource.Fields.Count(field => field.Namespace == HashSpace) != values.Length) throw new FormatException($"measurement {index} has not as many values as it says");
        for (var i = 0; i < values.Length; i++)
        {
            var value = resource.Field(HashSpace, string.Create(CultureInfo.InvariantCulture, $"Hash{i}"))?.ToLowerInvariant();
            if (value is not { Length: 2 * SpdmReport.DigestSize } || value.AsSpan().ContainsAnyExcept(HexDigits)) throw new FormatException($"value {i} of measurement {index} is no digest");
            values[i] = value;
        }

        return values;
    }

    private static int Number(XmlPart part, string name, int most) =>
        int.TryParse(part.Field(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most ? number : throw new FormatException($"{name} is not a number up to {most}");
}
