using System.Text;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>Manifests that are not exactly of the vendor's form. Where a signature can be right, it is.</summary>
public sealed class ManifestFormTests
{
    private const string Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384", Canonical = "<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>";

    private static readonly MockManifest Right = MockVendor.RightDriver;

    /// <summary>Another manifest, signed as it stands.</summary>
    private static readonly Dictionary<string, Func<MockManifest>> Signed = new()
    {
        ["patch"] = () => Right with { Flags = "corpus=\"false\" patch=\"true\"" },
        ["supplemental"] = () => Right with { Flags = "supplemental=\"1\"" },
        ["no product"] = () => Right with { Extra = "<ns0:Meta/>" },
        ["two payloads"] = () => Right with { Extra = "<ns0:Payload/>" },
        ["text between"] = () => Right with { Extra = "text" },
        ["no version"] = () => Right with { Version = "" },
        ["version of other letters"] = () => Right with { Version = "590.12-x" },
        ["no measurement"] = () => Right with { Resources = [] },
        ["no active measurement"] = () => Right with { Resources = [MockVendor.Measured(7) with { Active = "False" }] },
        ["measurement twice"] = () => Right with { Resources = [MockVendor.Measured(7), MockVendor.Measured(7)] },
        ["inactive measurement twice"] = () => Right with { Resources = [MockVendor.Measured(7), MockVendor.Measured(7) with { Active = "False" }] },
        ["measurement neither active nor not"] = () => Right with { Resources = [MockVendor.Measured(7) with { Active = "true" }] },
        ["measurement of another size"] = () => Right with { Resources = [MockVendor.Measured(7) with { Size = "32" }] },
        ["short digest"] = () => Right with { Resources = [new MockResource(7, new byte[47])] },
        ["no value"] = () => Right with { Resources = [new MockResource(7)] },
        ["value more than said"] = () => Right with { Resources = [new MockResource(7, MockDevice.Digest(8), new byte[48]) { Alternatives = 1 }] },
        ["value less than said"] = () => Right with { Resources = [new MockResource(7, MockDevice.Digest(8)) { Alternatives = 2 }] },
        ["index too large"] = () => Right with { Resources = [new MockResource(255, MockDevice.Digest(8))] },
        ["another resource"] = () => Right with { Resources = [MockVendor.Measured(7) with { Type = "File" }] },
        ["xml attribute"] = () => Right with { Flags = "xml:lang=\"en\"" },
        ["xml identifier"] = () => Right with { Flags = "xml:id=\"a\"" },
        ["comment"] = () => Right with { Extra = "<!-- -->" },
        ["instruction"] = () => Right with { Extra = "<?a b?>" },
        ["section of letters"] = () => Right with { Extra = "<ns0:Link><![CDATA[a]]></ns0:Link>" },
        ["nested deep"] = () => Right with { Extra = string.Concat(Enumerable.Repeat("<ns0:a>", 8)) + string.Concat(Enumerable.Repeat("</ns0:a>", 8)) },
        ["many elements"] = () => Right with { Extra = string.Concat(Enumerable.Repeat("<ns0:a/>", 4096)) },
        ["many attributes"] = () => Right with { Flags = string.Concat(Enumerable.Range(0, 40).Select(i => $" a{i}=\"\"")) },
        ["name that is not ASCII"] = () => Right with { Extra = "<ns0:ä/>" },
        ["large"] = () => Right with { Extra = new string(' ', 256 * 1024) },
        ["second signature"] = () => Right with { Extra = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>" },
        ["hidden signature"] = () => Right with { Extra = "<ns0:a><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></ns0:a>" },
        ["another method"] = () => Right with { Method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" },
        ["another canonical form"] = () => Right with { Canonical = "http://www.w3.org/2001/10/xml-exc-c14n#" },
        ["another digest"] = () => Right with { Digest = Sha384[..^3] + "256" },
        ["part of the document"] = () => Right with { Uri = "#a" },
        ["another document"] = () => Right with { Uri = "https://example.org/" },
        ["no transform"] = () => Right with { Transforms = "" },
        ["one transform"] = () => Right with { Transforms = Canonical },
        ["transforms exchanged"] = () => Right with { Transforms = Canonical + "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>" },
        ["transform by XSLT"] = () => Right with { Transforms = Right.Transforms + "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>" },
        ["transform with parameters"] = () => Right with { Transforms = Right.Transforms.Replace("c14n11\"/>", "c14n11\"><ds:XPath/></ds:Transform>", StringComparison.Ordinal) },
        ["second reference"] = () => Right with { ExtraSigned = "<ds:Reference URI=\"\"/>" },
        ["object in the signature"] = () => Right with { ExtraUnsigned = "<ds:Object/>" },
        ["no certificate"] = () => Right with { Chain = [] },
        ["nine certificates"] = () => Right with { Chain = [.. Right.Chain, .. Enumerable.Repeat(MockManifest.Root, 6)] },
    };

    /// <summary>The right one, changed after it was signed in a way that its canonical form does not show, or not before it is refused.</summary>
    private static readonly Dictionary<string, Func<string, string>> Changed = new()
    {
        ["empty"] = _ => "",
        ["no XML"] = _ => "manifest",
        ["truncated"] = text => text[..^3],
        ["trailing"] = text => text + "<a/>",
        ["document type"] = text => "<!DOCTYPE SoftwareIdentity>" + text,
        ["entity"] = text => "<!DOCTYPE SoftwareIdentity [<!ENTITY a \"aa\">]>" + text.Replace("\"aa\"", "\"&a;\"", StringComparison.Ordinal),
        ["entity that nobody declared"] = text => text.Replace("\"aa\"", "\"&a;\"", StringComparison.Ordinal),
        ["external entity"] = text => "<!DOCTYPE SoftwareIdentity SYSTEM \"file:///dev/zero\">" + text,
        ["comment before"] = text => "<!-- -->" + text,
        ["comment after"] = text => text + "<!-- -->",
        ["comment in a value"] = text => text.Replace("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->", StringComparison.Ordinal),
        ["byte order mark"] = text => "\ufeff" + text,
        ["another encoding"] = text => "<?xml version=\"1.0\" encoding=\"utf-7\"?>" + text,
        ["another version of XML"] = text => "<?xml version=\"1.1\"?>" + text,
        ["another root"] = text => text.Replace("SoftwareIdentity", "SoftwareIdentitx", StringComparison.Ordinal),
        ["another namespace"] = text => text.Replace("2015/schema.xsd", "2014/schema.xsd", StringComparison.Ordinal),
        ["no signature"] = text => text[..text.IndexOf("<ds:Signature ", StringComparison.Ordinal)] + "</SoftwareIdentity>",
        ["signature inside"] = text => text.Replace("<ds:Signature ", "<ns0:a><ds:Signature ", StringComparison.Ordinal).Replace("</ds:Signature>", "</ds:Signature></ns0:a>", StringComparison.Ordinal),
        ["signature with an attribute"] = text => text.Replace("<ds:Signature ", "<ds:Signature Id=\"a\" ", StringComparison.Ordinal),
        ["signature that is not base64"] = text => text.Replace("<ds:SignatureValue>", "<ds:SignatureValue>!", StringComparison.Ordinal),
        ["short signature"] = text => text.Replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", StringComparison.Ordinal),
        ["certificate that is none"] = text => text.Replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA", StringComparison.Ordinal),
        ["another key"] = text => text.Replace("<ds:X509Data>", "<ds:KeyName>a</ds:KeyName><ds:X509Data>", StringComparison.Ordinal),
    };

    public static TheoryData<string> SignedForms => [.. Signed.Keys];

    public static TheoryData<string> ChangedForms => [.. Changed.Keys];

    private static AttestationResult With(byte[] driver) => (MockVendor.Right with { Driver = driver }).Verify();

    [Theory, MemberData(nameof(SignedForms))]
    public void Verify_SignedManifestOfAnotherForm_IsRefusedForTheCollateral(string how) => Judged.RefusedFor(AttestationCheck.Collateral, With(Signed[how]().Bytes()));

    [Theory, MemberData(nameof(ChangedForms))]
    public void Verify_ChangedManifest_IsRefusedForTheCollateral(string how) => Judged.RefusedFor(AttestationCheck.Collateral, With(Encoding.UTF8.GetBytes(Changed[how](Right.Text()))));

    [Fact]
    public void Verify_ManifestThatIsNotUtf8_IsRefusedForTheCollateral() => Judged.RefusedFor(AttestationCheck.Collateral, With([.. Right.Bytes(), 0xff]));

    [Fact]
    public void Verify_ManifestWithADeclarationAndOtherWhiteSpaceAround_IsAccepted()
    {
        Judged.Accepted(With(Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + Right.Text().Replace("\n", "\r\n", StringComparison.Ordinal) + "\n")));
        Judged.Accepted(With((Right with { Extra = "<ns0:Link rel=\"see\" href=\"a\"/>" }).Bytes()));
    }
}
