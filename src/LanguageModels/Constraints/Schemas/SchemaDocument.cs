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

    private const int MaxLevels = 256;

    private readonly Dictionary<string, SchemaPlace> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, JsonElement>> _names = new(StringComparer.Ordinal);

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

        return Find(pointer) ?? throw from.Wrong("$ref", $"'{Shortened(reference)}' leads nowhere");
    }

    /// <summary>The element at a pointer. Places are kept, and so are the names of large objects, so that thousands of references into one cost no thousand searches each.</summary>
    private SchemaPlace? Find(string pointer)
    {
        if (pointer.Length == 0) return Root;
        if (_found.TryGetValue(pointer, out var known)) return known;
        var slash = pointer.LastIndexOf('/');
        // Pointers are short or refused: each level is a call.
        if (slash < 0 || pointer.AsSpan().Count('/') > MaxLevels || Find(pointer[..slash]) is not { } parent) return null;
        var name = pointer[(slash + 1)..].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        var found = Step(parent, name);
        if (found is { } place) _found[pointer] = place;
        return found;
    }

    private SchemaPlace? Step(SchemaPlace place, string name)
    {
        switch (place.Element.ValueKind)
        {
            case JsonValueKind.Object:
                if (!_names.TryGetValue(place.Pointer, out var names))
                    _names[place.Pointer] = names = place.Element.EnumerateObject().ToDictionary(property => property.Name, property => property.Value, StringComparer.Ordinal);
                return names.TryGetValue(name, out var child) ? place.Child(name, child) : null;
            case JsonValueKind.Array when int.TryParse(name, System.Globalization.NumberStyles.None, null, out var index) && index < place.Element.GetArrayLength():
                return place.Child(name, place.Element[index]);
            default: return null;
        }
    }

    internal static string Shortened(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");
}
