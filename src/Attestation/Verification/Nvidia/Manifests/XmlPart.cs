namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>An attribute that is no namespace declaration.</summary>
/// <param name="Namespace">Empty where the attribute has no prefix.</param>
internal readonly record struct XmlField(string Prefix, string Name, string Namespace, string Value);

/// <summary>What an element holds: an element, or text.</summary>
internal readonly record struct XmlContent(XmlPart? Part, string Text);

/// <summary>An element as <see cref="StrictXml"/> read it.</summary>
internal sealed class XmlPart
{
    public required string Prefix { get; init; }

    public required string Name { get; init; }

    public required string Namespace { get; init; }

    /// <summary>Namespaces declared on this element, by prefix; the default one's is empty.</summary>
    public required IReadOnlyDictionary<string, string> Declared { get; init; }

    public required IReadOnlyList<XmlField> Fields { get; init; }

    public required IReadOnlyList<XmlContent> Content { get; init; }

    public bool Is(string @namespace, string name) => Namespace == @namespace && Name == name;

    /// <summary>An attribute without a prefix; null where there is none.</summary>
    public string? Field(string name) => Field("", name);

    public string? Field(string @namespace, string name)
    {
        foreach (var field in Fields)
        {
            if (field.Namespace == @namespace && field.Name == name) return field.Value;
        }

        return null;
    }

    /// <summary>The elements in it.</summary>
    /// <exception cref="FormatException">There is text between them.</exception>
    public IReadOnlyList<XmlPart> Parts()
    {
        var parts = new List<XmlPart>();
        foreach (var content in Content)
        {
            if (content.Part is { } part) parts.Add(part);
            else if (!string.IsNullOrWhiteSpace(content.Text)) throw new FormatException($"{Name} holds text");
        }

        return parts;
    }

    /// <summary>The text in it.</summary>
    /// <exception cref="FormatException">It holds elements.</exception>
    public string Text()
    {
        if (Content.Any(content => content.Part is not null)) throw new FormatException($"{Name} holds elements");
        return string.Concat(Content.Select(content => content.Text));
    }
}
