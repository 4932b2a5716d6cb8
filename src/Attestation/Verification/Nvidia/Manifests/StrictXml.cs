using System.Text;
using System.Xml;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>
/// Reads the part of XML that signed manifests are written in: UTF-8, elements, attributes and text. Document types, entities, comments,
/// instructions, CDATA sections and attributes of XML's own (xml:lang, xml:id) are refused: a manifest needs none, and each is a way to
/// show two readers two documents.
/// </summary>
internal static class StrictXml
{
    private const int Deepest = 8, MostElements = 4096, MostFields = 32;
    private const string Declarations = "http://www.w3.org/2000/xmlns/", Own = "http://www.w3.org/XML/1998/namespace";

    private static readonly UTF8Encoding Utf8 = new(false, true);

    /// <param name="file">Not larger than the caller allows.</param>
    /// <exception cref="FormatException">Anything else.</exception>
    public static XmlPart Read(ReadOnlyMemory<byte> file)
    {
        try
        {
            using var text = new StringReader(Utf8.GetString(file.Span));
            using var reader = XmlReader.Create(text, new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, ConformanceLevel = ConformanceLevel.Document,
                MaxCharactersInDocument = Math.Max(1, file.Length),
            });
            return new Parser(reader).Document();
        }
        catch (Exception error) when (error is XmlException or ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"not XML: {error.GetType().Name}");
        }
    }

    private sealed class Parser(XmlReader reader)
    {
        private int _elements;

        public XmlPart Document()
        {
            XmlPart? root = null;
            while (reader.Read())
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.XmlDeclaration when reader.GetAttribute("encoding") is null or "UTF-8" or "utf-8":
                    case XmlNodeType.Whitespace:
                        break;
                    case XmlNodeType.Element:
                        root = Element(1);
                        break;
                    default:
                        throw new FormatException($"{reader.NodeType} is not allowed");
                }
            }

            return root ?? throw new FormatException("no element");
        }

        private XmlPart Element(int depth)
        {
            if (depth > Deepest) throw new FormatException($"elements nest deeper than {Deepest}");
            if (++_elements > MostElements) throw new FormatException($"more than {MostElements} elements");
            var (prefix, name, @namespace, isEmpty) = (Ascii(reader.Prefix), Ascii(reader.LocalName), Ascii(reader.NamespaceURI), reader.IsEmptyElement);
            var declared = new Dictionary<string, string>(StringComparer.Ordinal);
            var fields = ReadFields(declared);
            return new XmlPart
            {
                Prefix = prefix, Name = name, Namespace = @namespace, Declared = declared, Fields = fields, Content = isEmpty ? [] : ReadContent(depth),
            };
        }

        private List<XmlField> ReadFields(Dictionary<string, string> declared)
        {
            var fields = new List<XmlField>();
            if (reader.AttributeCount > MostFields) throw new FormatException($"an element has {reader.AttributeCount} attributes");
            for (var isField = reader.MoveToFirstAttribute(); isField; isField = reader.MoveToNextAttribute())
            {
                if (reader.NamespaceURI == Own) throw new FormatException($"an attribute xml:{Ascii(reader.LocalName)}");
                if (reader.NamespaceURI != Declarations) fields.Add(new XmlField(Ascii(reader.Prefix), Ascii(reader.LocalName), Ascii(reader.NamespaceURI), reader.Value));
                else declared.Add(reader.Prefix.Length == 0 ? "" : Prefix(reader.LocalName), Ascii(reader.Value));
            }

            reader.MoveToElement();
            return fields;
        }

        private List<XmlContent> ReadContent(int depth)
        {
            var content = new List<XmlContent>();
            while (reader.Read())
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.EndElement:
                        return content;
                    case XmlNodeType.Element:
                        content.Add(new XmlContent(Element(depth + 1), ""));
                        break;
                    case XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                        content.Add(new XmlContent(null, reader.Value));
                        break;
                    default:
                        throw new FormatException($"{reader.NodeType} is not allowed");
                }
            }

            throw new FormatException("an element does not end");
        }

        private static string Prefix(string prefix) => prefix == "xml" ? throw new FormatException("declares XML's own namespace") : Ascii(prefix);

        // The canonical order is by code point, which is the order of .NET's letters only as long as there are no surrogates.
        private static string Ascii(string name) => System.Text.Ascii.IsValid(name) ? name : throw new FormatException("a name that is not ASCII");
    }
}
