using FsCheck;
using FsCheck.Fluent;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Tests.Verification.Properties;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>Canonical XML against the platform's: a document that it made canonical for signing must hold here.</summary>
public sealed class CanonicalXmlTests
{
    private static readonly string[] Values = ["", "a", "&amp;", "&lt;&gt;", ">", "&quot;'", "&#9;&#10;&#13;", " \t b ", "é", "\ud83d\ude00", "]]&gt;", "&#x20AC;"];

    private static readonly string[] Prefixes = ["", "ns0:", "ns2:", "p:", "q:"];

    // Superfluous ones, other names for a prefix that is taken, and the default taken away.
    private static readonly string[] Declarations = ["", " xmlns:p=\"urn:a\"", " xmlns:p=\"urn:b\" xmlns:q=\"urn:a\"", " xmlns=\"urn:c\"", " xmlns=\"\"", " xmlns:ns2=\"urn:d\" xmlns:a=\"urn:unused\"", " xmlns:ns0=\"" + MockManifest.Space + "\""];

    private static readonly Gen<string> Attributes =
        from count in Gen.Choose(0, 3)
        from prefixes in Gen.ArrayOf(Gen.Elements(Prefixes), count)
        from values in Gen.ArrayOf(Gen.Elements(Values), count)
        select string.Concat(prefixes.Select((prefix, i) => $" {prefix}{(char)('z' - i)}=\"{values[i]}\""));

    private static Gen<string> Element(int depth) =>
        from prefix in Gen.Elements(Prefixes)
        from declared in Gen.Elements(Declarations)
        from attributes in Attributes
        from before in Gen.Elements(Values)
        from children in depth == 0 ? Gen.Constant<string[]>([]) : Gen.Choose(0, 2).SelectMany(count => Gen.ArrayOf(Element(depth - 1), count))
        from after in Gen.Elements(Values)
        select $"<{prefix}e{declared}{attributes}>{before}{string.Concat(children)}{after}</{prefix}e>";

    [Fact]
    public void Verify_AnyDocumentThatThePlatformMadeCanonical_IsAccepted()
    {
        var extra = from element in Element(2) select $"<ns0:Link xmlns:p=\"urn:p\" xmlns:q=\"urn:q\">{element}</ns0:Link>";
        Seeded.Check(Math.Max(1, Vectors.Inputs / 100), Prop.ForAll(extra.ToArbitrary(), text =>
            Judged.Accepted((MockVendor.OnlyDriver with { Driver = (MockVendor.RightDriver with { Extra = text }).Bytes() }).Verify(MockVendor.Waiving))));
    }
}
