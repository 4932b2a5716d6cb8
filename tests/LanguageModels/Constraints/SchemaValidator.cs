using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace OpenGradient.Engine.LanguageModels.Tests.Constraints;

/// <summary>Whether a document satisfies a schema: JSON Schema's keywords one by one, as the specification says them, without an automaton.</summary>
internal sealed class SchemaValidator(JsonElement root)
{
    public bool IsValid(JsonElement value) => IsValid(root, value);

    private bool IsValid(JsonElement schema, JsonElement value)
    {
        if (schema.ValueKind == JsonValueKind.True) return true;
        if (schema.ValueKind == JsonValueKind.False) return false;
        foreach (var keyword in schema.EnumerateObject())
            if (!Holds(schema, keyword.Name, keyword.Value, value)) return false;
        return true;
    }

    private bool Holds(JsonElement schema, string keyword, JsonElement rule, JsonElement value) => keyword switch
    {
        "type" => HasType(rule, value) || (value.ValueKind == JsonValueKind.Null && schema.TryGetProperty("nullable", out var nullable) && nullable.GetBoolean()),
        "enum" => rule.EnumerateArray().Any(each => JsonElement.DeepEquals(each, value)),
        "const" => JsonElement.DeepEquals(rule, value),
        "$ref" => IsValid(Resolve(rule.GetString()!), value),
        "allOf" => rule.EnumerateArray().All(each => IsValid(each, value)),
        "anyOf" => rule.EnumerateArray().Any(each => IsValid(each, value)),
        "oneOf" => rule.EnumerateArray().Count(each => IsValid(each, value)) == 1,
        "minimum" => value.ValueKind != JsonValueKind.Number || Decimal(value) >= Decimal(rule),
        "maximum" => value.ValueKind != JsonValueKind.Number || Decimal(value) <= Decimal(rule),
        "exclusiveMinimum" => value.ValueKind != JsonValueKind.Number || Decimal(value) > Decimal(rule),
        "exclusiveMaximum" => value.ValueKind != JsonValueKind.Number || Decimal(value) < Decimal(rule),
        "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() >= rule.GetInt32(),
        "maxLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() <= rule.GetInt32(),
        "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, rule.GetString()!.TrimEnd('$') + (rule.GetString()!.EndsWith('$') ? "\\z" : ""), RegexOptions.CultureInvariant),
        "format" => value.ValueKind != JsonValueKind.String || HasFormat(rule.GetString()!, value.GetString()!),
        "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= rule.GetInt32(),
        "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= rule.GetInt32(),
        "prefixItems" => value.ValueKind != JsonValueKind.Array || rule.EnumerateArray().Zip(value.EnumerateArray()).All(pair => IsValid(pair.First, pair.Second)),
        "items" => value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Skip(schema.TryGetProperty("prefixItems", out var first) ? first.GetArrayLength() : 0).All(item => IsValid(rule, item)),
        "required" => value.ValueKind != JsonValueKind.Object || rule.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
        "properties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().All(each => !rule.TryGetProperty(each.Name, out var declared) || IsValid(declared, each.Value)),
        "additionalProperties" => value.ValueKind != JsonValueKind.Object
            || value.EnumerateObject().All(each => (schema.TryGetProperty("properties", out var declared) && declared.TryGetProperty(each.Name, out _)) || IsValid(rule, each.Value)),
        "$defs" or "definitions" or "title" or "description" or "nullable" or "$id" => true,
        _ => throw new NotSupportedException(keyword),
    };

    private static bool HasType(JsonElement rule, JsonElement value) =>
        rule.ValueKind == JsonValueKind.Array ? rule.EnumerateArray().Any(each => HasType(each, value)) : rule.GetString() switch
        {
            "null" => value.ValueKind == JsonValueKind.Null,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "number" => value.ValueKind == JsonValueKind.Number,
            "integer" => value.ValueKind == JsonValueKind.Number && !value.GetRawText().AsSpan().ContainsAny('.', 'e', 'E'),
            _ => throw new NotSupportedException(rule.GetString()),
        };

    // A decimal holds the bounds of these tests and the answers beside them exactly as far as comparing needs.
    private static double Decimal(JsonElement number) => double.Parse(number.GetRawText(), CultureInfo.InvariantCulture);

    private static bool HasFormat(string format, string text) => format switch
    {
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "time" => DateTimeOffset.TryParse("2026-01-01T" + text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "ipv4" => System.Net.IPAddress.TryParse(text, out var address) && address.ToString() == text,
        _ => true,
    };

    private JsonElement Resolve(string reference)
    {
        var element = root;
        foreach (var name in reference.Split('/').Skip(1)) element = element.ValueKind == JsonValueKind.Array ? element[int.Parse(name, CultureInfo.InvariantCulture)] : element.GetProperty(name.Replace("~1", "/").Replace("~0", "~"));
        return element;
    }
}
