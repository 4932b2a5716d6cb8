using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>
/// Canonical XML 1.1 without comments, of the part of XML that <see cref="StrictXml"/> reads. Versions 1.0 and 1.1 differ only in XML's own
/// attributes, which are refused there.
/// </summary>
internal static class CanonicalXml
{
    private static readonly Dictionary<string, string> Nothing = new(StringComparer.Ordinal);

    /// <param name="apex">The element to write with all it holds.</param>
    /// <param name="ancestors">Around the apex, outermost first. What they declare stands on the apex.</param>
    /// <param name="without">Left out, with all it holds; the text around it stays.</param>
    public static byte[] Write(XmlPart apex, IReadOnlyList<XmlPart> ancestors, XmlPart? without = null)
    {
        var scope = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var ancestor in ancestors) Declare(scope, ancestor);
        var text = new StringBuilder();
        Write(text, apex, scope, Nothing, without);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // Scope: what is declared around. Shown: what the output around has declared.
    private static void Write(StringBuilder text, XmlPart part, Dictionary<string, string> scope, Dictionary<string, string> shown, XmlPart? without)
    {
        if (part.Declared.Count > 0)
        {
            scope = new Dictionary<string, string>(scope, StringComparer.Ordinal);
            Declare(scope, part);
        }

        text.Append('<');
        WriteName(text, part.Prefix, part.Name);
        foreach (var (prefix, name) in scope.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if ((shown.TryGetValue(prefix, out var before) ? before : "") != name) WriteField(text, prefix.Length == 0 ? "" : "xmlns", prefix.Length == 0 ? "xmlns" : prefix, name);
        }

        foreach (var field in part.Fields.OrderBy(field => field.Namespace, StringComparer.Ordinal).ThenBy(field => field.Name, StringComparer.Ordinal))
            WriteField(text, field.Prefix, field.Name, field.Value);
        text.Append('>');
        foreach (var content in part.Content)
        {
            if (content.Part is null) WriteText(text, content.Text);
            else if (content.Part != without) Write(text, content.Part, scope, scope, without);
        }

        text.Append("</");
        WriteName(text, part.Prefix, part.Name);
        text.Append('>');
    }

    private static void Declare(Dictionary<string, string> scope, XmlPart part)
    {
        foreach (var (prefix, name) in part.Declared) scope[prefix] = name;
    }

    private static void WriteName(StringBuilder text, string prefix, string name)
    {
        if (prefix.Length > 0) text.Append(prefix).Append(':');
        text.Append(name);
    }

    private static void WriteField(StringBuilder text, string prefix, string name, string value)
    {
        text.Append(' ');
        WriteName(text, prefix, name);
        text.Append("=\"");
        foreach (var letter in value)
        {
            _ = letter switch
            {
                '&' => text.Append("&amp;"),
                '<' => text.Append("&lt;"),
                '"' => text.Append("&quot;"),
                '\t' => text.Append("&#x9;"),
                '\n' => text.Append("&#xA;"),
                '\r' => text.Append("&#xD;"),
                _ => text.Append(letter),
            };
        }

        text.Append('"');
    }

    private static void WriteText(StringBuilder text, string value)
    {
        foreach (var letter in value)
        {
            _ = letter switch
            {
                '&' => text.Append("&amp;"),
                '<' => text.Append("&lt;"),
                '>' => text.Append("&gt;"),
                '\r' => text.Append("&#xD;"),
                _ => text.Append(letter),
            };
        }
    }
}
