using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Constraints.Automata;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>Reads the keywords that speak of a value itself into facts. Keywords that combine schemas are the expansion's.</summary>
internal static class SchemaKeywords
{
    // Counts beyond this are no bound that a text could reach.
    private const int MaxCount = 1_000_000_000;

    private static readonly HashSet<string> Annotations =
    [
        "$schema", "$id", "$comment", "$defs", "definitions", "$vocabulary", "$anchor", "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
        "contentMediaType", "contentEncoding", "contentSchema", "discriminator", "xml", "externalDocs",
    ];

    /// <exception cref="JsonSchemaException">The keyword is not supported, or its value is not one.</exception>
    public static void Read(SchemaFacts facts, SchemaPlace place, string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "type": facts.Restrict(place, TypesOf(place, value)); break;
            case "enum":
                if (value.ValueKind != JsonValueKind.Array) throw place.Wrong(keyword, "an array is expected");
                facts.Enumerate(place, keyword, [.. value.EnumerateArray()]);
                break;
            case "const": facts.Enumerate(place, keyword, [value]); break;
            case "minimum": Number(facts).AtLeast(place, new NumberBound(Bound(place, keyword, value), false)); break;
            case "exclusiveMinimum": Number(facts).AtLeast(place, new NumberBound(Bound(place, keyword, value), true)); break;
            case "maximum": Number(facts).AtMost(place, new NumberBound(Bound(place, keyword, value), false)); break;
            case "exclusiveMaximum": Number(facts).AtMost(place, new NumberBound(Bound(place, keyword, value), true)); break;
            case "minLength": Text(facts).LengthAtLeast(Count(place, keyword, value)); break;
            case "maxLength": Text(facts).LengthAtMost(Count(place, keyword, value)); break;
            case "pattern": Text(facts).Patterns.Add(($"{place.Name}/pattern", TextOf(place, keyword, value))); break;
            case "format":
                // A format without a pattern here is an annotation, as JSON Schema has it.
                if (StringFormats.PatternOf(TextOf(place, keyword, value)) is { } pattern) Text(facts).Patterns.Add(($"{place.Name}/format", pattern));
                break;
            case "minItems": Array(facts).ItemsAtLeast(Count(place, keyword, value)); break;
            case "maxItems": Array(facts).ItemsAtMost(Count(place, keyword, value)); break;
            case "required": ReadRequired(facts, place, value); break;
            // Read together, below.
            case "properties" or "additionalProperties" or "items" or "prefixItems" or "nullable": break;
            case "uniqueItems" when value.ValueKind == JsonValueKind.False: break;
            default:
                if (Annotations.Contains(keyword) || keyword.StartsWith("x-", StringComparison.Ordinal)) break;
                throw new JsonSchemaException($"{place.Name}: keyword '{SchemaDocument.Shortened(keyword)}' is not supported");
        }
    }

    /// <summary>Reads the keywords that belong together.</summary>
    public static void ReadParts(SchemaFacts facts, SchemaPlace place)
    {
        var schema = place.Element;
        var hasProperties = schema.TryGetProperty("properties"u8, out var properties);
        var hasAdditional = schema.TryGetProperty("additionalProperties"u8, out var additional);
        if (hasProperties || hasAdditional)
        {
            var (declared, names) = (new Dictionary<string, SchemaPlace>(StringComparer.Ordinal), new List<string>());
            if (hasProperties)
            {
                if (properties.ValueKind != JsonValueKind.Object) throw place.Wrong("properties", "an object is expected");
                foreach (var property in properties.EnumerateObject())
                {
                    var name = Valid(place, "properties", () => property.Name);
                    declared[name] = place.Child("properties", name, property.Value);
                    names.Add(name);
                }
            }

            facts.Mentioned |= JsonTypes.Object;
            facts.Objects.Add(new ObjectPiece(declared, names, hasProperties, hasAdditional ? place.Child("additionalProperties", additional) : null));
        }

        var hasFirst = schema.TryGetProperty("prefixItems"u8, out var first);
        var hasRest = schema.TryGetProperty("items"u8, out var rest);
        if (!hasFirst && !hasRest) return;
        if (hasFirst && first.ValueKind != JsonValueKind.Array) throw place.Wrong("prefixItems", "an array is expected");
        if (hasRest && rest.ValueKind == JsonValueKind.Array) throw place.Wrong("items", "a schema is expected; items by place are prefixItems");
        facts.Mentioned |= JsonTypes.Array;
        facts.Arrays.Add(new ArrayPiece(
            hasFirst ? [.. first.EnumerateArray().Select((item, index) => place.Child("prefixItems", index, item))] : [],
            hasRest ? place.Child("items", rest) : null));
    }

    private static SchemaFacts Number(SchemaFacts facts) => Mention(facts, JsonTypes.Number);

    private static SchemaFacts Text(SchemaFacts facts) => Mention(facts, JsonTypes.String);

    private static SchemaFacts Array(SchemaFacts facts) => Mention(facts, JsonTypes.Array);

    private static SchemaFacts Mention(SchemaFacts facts, JsonTypes types)
    {
        facts.Mentioned |= types;
        return facts;
    }

    private static void ReadRequired(SchemaFacts facts, SchemaPlace place, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array) throw place.Wrong("required", "an array of names is expected");
        var known = facts.Required.ToHashSet(StringComparer.Ordinal);
        foreach (var name in value.EnumerateArray())
            if (known.Add(TextOf(place, "required", name))) facts.Required.Add(name.GetString()!);
        facts.Mentioned |= JsonTypes.Object;
    }

    private static JsonTypes TypesOf(SchemaPlace place, JsonElement value)
    {
        var types = JsonTypes.None;
        if (value.ValueKind == JsonValueKind.Array)
            foreach (var each in value.EnumerateArray()) types |= TypeOf(place, each);
        else types = TypeOf(place, value);
        if (types == JsonTypes.None) throw place.Wrong("type", "no type is named");
        return place.Element.TryGetProperty("nullable"u8, out var nullable) && nullable.ValueKind == JsonValueKind.True ? types | JsonTypes.Null : types;
    }

    private static JsonTypes TypeOf(SchemaPlace place, JsonElement name) => name.ValueKind != JsonValueKind.String
        ? throw place.Wrong("type", "a type's name is expected")
        : TextOf(place, "type", name) switch
        {
            "null" => JsonTypes.Null,
            "boolean" => JsonTypes.Boolean,
            "object" => JsonTypes.Object,
            "array" => JsonTypes.Array,
            "string" => JsonTypes.String,
            "integer" => JsonTypes.Integer,
            "number" => JsonTypes.Number,
            var other => throw place.Wrong("type", $"'{SchemaDocument.Shortened(other)}' is not a type"),
        };

    private static int Count(SchemaPlace place, string keyword, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number || DecimalNumber.Parse(value.GetRawText()) is not { IsInteger: true, IsNegative: false } number)
            throw place.Wrong(keyword, "a whole number of at least 0 is expected");
        return number.Floor() is var count && count > MaxCount ? MaxCount : (int)count;
    }

    private static DecimalNumber Bound(SchemaPlace place, string keyword, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number) throw place.Wrong(keyword, "a number is expected");
        return DecimalNumber.Parse(value.GetRawText()) ?? throw place.Wrong(keyword, "the number has too many digits");
    }

    private static string TextOf(SchemaPlace place, string keyword, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? Valid(place, keyword, () => value.GetString()!) : throw place.Wrong(keyword, "a text is expected");

    private static string Valid(SchemaPlace place, string keyword, Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException error)
        {
            throw new JsonSchemaException($"{place.Name}/{keyword}: a text is not valid Unicode", error);
        }
    }
}
