using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>A measurement of a manifest.</summary>
/// <param name="Index">From 0.</param>
internal sealed record MockResource(int Index, params byte[][] Values)
{
    public string Active { get; init; } = "True";

    public string Size { get; init; } = "48";

    public string Type { get; init; } = "Measurement";

    public int? Alternatives { get; init; }

    public string Text()
    {
        var values = string.Concat(Values.Select((value, i) => $" ns2:Hash{i}=\"{Convert.ToHexStringLower(value)}\""));
        return string.Create(CultureInfo.InvariantCulture, $"<ns0:Resource type=\"{Type}\" index=\"{Index}\" active=\"{Active}\" alternatives=\"{Alternatives ?? Values.Length}\"{values} name=\"m\" size=\"{Size}\"/>");
    }
}

/// <summary>
/// A manifest under a root of its own, in the vendor's form. What is signed is made canonical by the platform's canonical XML, not by the
/// code under test.
/// </summary>
internal sealed record MockManifest
{
    public const string Space = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd", Signatures = "http://www.w3.org/2000/09/xmldsig#";

    public static readonly MockCertificate Root = MockCertificate.Root("manifest root"), Maker = Root.Issue("values", MockShape.Authority(null));

    public static readonly MockCertificate Leaf = Maker.Issue("signer", MockShape.Leaf);

    public string Product { get; init; } = "GH100";

    public string Version { get; init; } = "590.12";

    public string Flags { get; init; } = "corpus=\"false\" patch=\"false\" supplemental=\"false\"";

    public IReadOnlyList<MockResource> Resources { get; init; } = [];

    public MockCertificate Signer { get; init; } = Leaf;

    public IReadOnlyList<MockCertificate> Chain { get; init; } = [Leaf, Maker, Root];

    public string Method { get; init; } = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";

    public string Canonical { get; init; } = "http://www.w3.org/2006/12/xml-c14n11";

    public string Digest { get; init; } = "http://www.w3.org/2001/04/xmldsig-more#sha384";

    public string Uri { get; init; } = "";

    public string Transforms { get; init; } =
        $"<ds:Transform Algorithm=\"{Signatures}enveloped-signature\"/><ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>";

    /// <summary>Between Payload and Signature.</summary>
    public string Extra { get; init; } = "";

    /// <summary>In SignedInfo, behind the reference.</summary>
    public string ExtraSigned { get; init; } = "";

    /// <summary>In Signature, behind KeyInfo.</summary>
    public string ExtraUnsigned { get; init; } = "";

    public byte[] Bytes() => Encoding.UTF8.GetBytes(Text());

    public string Text()
    {
        var digest = SHA384.HashData(CanonicalBytes(Document(""), null));
        var unsigned = Document(Signature(Convert.ToBase64String(digest), "AA=="));
        var value = Signer.Key.SignData(CanonicalBytes(unsigned, "SignedInfo"), HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Document(Signature(Convert.ToBase64String(digest), Convert.ToBase64String(value)));
    }

    /// <summary>By the platform: the whole document, or one element of the signature in its place.</summary>
    public static byte[] CanonicalBytes(string text, string? element)
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        // LoadXml would leave line ends and tabs as they are; a conforming reader does not (XML 1.0, 2.11 and 3.3.3).
        using var lines = new StringReader(text);
        using var reader = XmlReader.Create(lines);
        document.Load(reader);
        var transform = new XmlDsigC14NTransform();
        if (element is null)
        {
            transform.LoadInput(document);
        }
        else
        {
            var names = new XmlNamespaceManager(document.NameTable);
            names.AddNamespace("ds", Signatures);
            var all = $"//ds:{element}/descendant-or-self::";
            transform.LoadInput(document.SelectNodes($"{all}node() | {all}*/@* | {all}*/namespace::*", names)!);
        }

        using var output = (Stream)transform.GetOutput(typeof(Stream));
        using var bytes = new MemoryStream();
        output.CopyTo(bytes);
        return bytes.ToArray();
    }

    private string Document(string signature) =>
        $"""
        <SoftwareIdentity xmlns="{Space}" xmlns:ns0="{Space}" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384" {Flags} name="{Product}" tagId="aa" version="1.0">
            <ns0:Entity name="Mock &amp; &lt;Sons&gt; &quot;Ünïque&quot;" role="tagCreator"/>
            <ns0:Meta xmlns:ns1="https://example.org/rim/" product="{Product}" edition="GPU" colloquialVersion="{Version}" ns1:BindingSpec="RIMIM"/>
            <ns0:Payload xmlns:SHA384="http://www.w3.org/2001/04/xmlenc#sha384">
                {string.Concat(Resources.Select(resource => resource.Text()))}
            </ns0:Payload>
        {Extra}{signature}</SoftwareIdentity>
        """;

    private string Signature(string digest, string value) =>
        $"<ds:Signature xmlns:ds=\"{Signatures}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{Canonical}\"/><ds:SignatureMethod Algorithm=\"{Method}\"/>"
        + $"<ds:Reference URI=\"{Uri}\"><ds:Transforms>{Transforms}</ds:Transforms><ds:DigestMethod Algorithm=\"{Digest}\"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>{ExtraSigned}</ds:SignedInfo>"
        + $"<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>"
        + string.Concat(Chain.Select(certificate => $"<ds:X509Certificate>{Convert.ToBase64String(certificate.Der, Base64FormattingOptions.InsertLineBreaks)}\n</ds:X509Certificate>"))
        + $"</ds:X509Data></ds:KeyInfo>{ExtraUnsigned}</ds:Signature>";
}
