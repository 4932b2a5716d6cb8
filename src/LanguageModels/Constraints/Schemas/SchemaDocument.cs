using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>A subschema where it stands.</summary>
/// <param name="Pointer">JSON pointer from the document's root; empty for the root.</param>
/// <param name="Root">Pointer of the schema that <c>#</c> means here: the nearest one around it with an <c>$id</c>.</param>
internal readonly record struct SchemaPlace(string Pointer, string Root, JsonElement Element)
{
    /// <summary>As messages name it.</summary>
    public string Name => "#" + Pointer;

    public SchemaPlace Child(string name, JsonElement element)
    {
        var pointer = $"{Pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
        return new SchemaPlace(pointer, IsResource(element) ? pointer : Root, element);
    }

    public SchemaPlace Child(string keyword, string name, JsonElement element) => Child(keyword, default(JsonElement)).Child(name, element);

    public SchemaPlace Child(string keyword, int index, JsonElement element) => Child(keyword, default(JsonElement)).Child(index.ToString(System.Globalization.CultureInfo.InvariantCulture), element);

    public JsonSchemaException Wrong(string keyword, string what) => new($"#{Pointer}/{keyword}: {what}");

    // "#name" is an anchor of earlier drafts, and no document of its own.
    private static bool IsResource(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$id"u8, out var id) && id.ValueKind == JsonValueKind.String && id.GetRawText() is not "\"\"" && !id.GetRawText().StartsWith("\"#", StringComparison.Ordinal);
}

/// <summary>A schema's JSON and its references.</summary>
internal sealed class SchemaDocument
{
    /// <summary>Longer schemas are refused: compiling takes time in proportion, at least.</summary>
    public const int MaxBytes = 256 * 1024;

    private SchemaDocument(JsonElement root) => Root = new SchemaPlace("", "", root);

    public SchemaPlace Root { get; }

    /// <exception cref="JsonSchemaException">Not JSON, too long, or with a name twice in one object.</exception>
    public static SchemaDocument Parse(ReadOnlyMemory<byte> schema)
    {
        if (schema.Length > MaxBytes) throw new JsonSchemaException($"the schema is {schema.Length} bytes, more than {MaxBytes}");
        try
        {
            using var document = JsonDocument.Parse(schema, JsonSchemaConstraint.Reading);
            return new SchemaDocument(document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new JsonSchemaException($"the schema is not JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            // A name with half of a surrogate pair, which is read where names are compared.
            throw new JsonSchemaException("the schema has a name that is not valid Unicode", error);
        }
    }

    /// <summary>Where a reference leads.</summary>
    /// <param name="reference"><c>#</c> or <c>#/…</c>.</param>
    /// <exception cref="JsonSchemaException">Nowhere, or out of the document.</exception>
    public SchemaPlace Resolve(SchemaPlace from, string reference)
    {
        if (reference != "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
            throw from.Wrong("$ref", $"'{Shortened(reference)}' leads out of the schema; only '#' and '#/…' are supported");
        string pointer;
        try
        {
            pointer = from.Root + Uri.UnescapeDataString(reference[1..]);
        }
        catch (UriFormatException error)
        {
            throw new JsonSchemaException($"{from.Name}/$ref: '{Shortened(reference)}' is not a reference", error);
        }

        var place = Root;
        foreach (var token in pointer.Split('/').Skip(1))
        {
            var name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            place = Step(place, name) ?? throw from.Wrong("$ref", $"'{Shortened(reference)}' leads nowhere");
        }

        return place;
    }

    private static SchemaPlace? Step(SchemaPlace place, string name)
    {
        switch (place.Element.ValueKind)
        {
            case JsonValueKind.Object when place.Element.TryGetProperty(name, out var child): return place.Child(name, child);
            case JsonValueKind.Array when int.TryParse(name, System.Globalization.NumberStyles.None, null, out var index) && index < place.Element.GetArrayLength():
                return place.Child(name, place.Element[index]);
            default: return null;
        }
    }

    internal static string Shortened(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");
}
