using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tests.Constraints;

/// <summary>Random documents that satisfy a schema, written as the constraint has them written. Null where a schema has keywords that it cannot invert.</summary>
internal sealed class DocumentGenerator(JsonElement root, Random random)
{
    private static readonly string[] Letters = ["a", "Z", "0", " ", "é", "€", "😀", "\\\"", "\\\\", "\\n", "\\/", "\\u0041", "\\u00e9", "\\uD83D\\ude00", "\u007f", "'", "/"];

    public string? Make() => Make(root, 0);

    private string? Make(JsonElement schema, int depth)
    {
        if (schema.ValueKind == JsonValueKind.False || depth > 12) return null;
        if (schema.ValueKind == JsonValueKind.True) return "[1, {}]";
        if (schema.TryGetProperty("$ref", out var reference)) return Make(Resolve(reference.GetString()!), depth);
        if (schema.TryGetProperty("pattern", out _) || schema.TryGetProperty("format", out _) || schema.TryGetProperty("allOf", out _)) return null;
        if (schema.TryGetProperty("const", out var constant)) return Compact(constant);
        if (schema.TryGetProperty("enum", out var values)) return schema.EnumerateObject().Count() > 1 ? null : Compact(Pick([.. values.EnumerateArray()]));
        if (schema.TryGetProperty("anyOf", out var any) || schema.TryGetProperty("oneOf", out any)) return schema.TryGetProperty("properties", out _) ? null : Make(Pick([.. any.EnumerateArray()]), depth);
        var type = !schema.TryGetProperty("type", out var named) ? "any" : named.ValueKind == JsonValueKind.Array ? Pick([.. named.EnumerateArray()]).GetString()! : named.GetString()!;
        return type switch
        {
            "null" => "null",
            "boolean" => random.Next(2) == 0 ? "true" : "false",
            "integer" => Integer(schema),
            "number" => Number(schema),
            "string" => Text(schema),
            "array" => Array(schema, depth),
            "object" => Object(schema, depth),
            _ => Pick(["1.5e3", "-0", "\"x\"", "[[], {}]", "{\"a\": {\"b\": [null, true]}}", "[{\"k\":\"v\"}, -1.25]"]),
        };
    }

    private string Integer(JsonElement schema)
    {
        var low = schema.TryGetProperty("minimum", out var minimum) ? minimum.GetInt64() : schema.TryGetProperty("exclusiveMinimum", out minimum) ? minimum.GetInt64() + 1 : long.MinValue;
        var high = schema.TryGetProperty("maximum", out var maximum) ? maximum.GetInt64() : schema.TryGetProperty("exclusiveMaximum", out maximum) ? maximum.GetInt64() - 1 : long.MaxValue;
        return Pick([low, high, random.NextInt64(low, high == long.MaxValue ? high : high + 1), Math.Clamp(0, low, high), Math.Clamp(random.Next(200), low, high)]).ToString(CultureInfo.InvariantCulture);
    }

    private string? Number(JsonElement schema)
    {
        if (schema.EnumerateObject().Count() == 1) return Pick(["0", "-0", "12", "-3.25", "0.001", "1e5", "9E-07", "1234567890123456789", "0.1234567890", "-1.5e+10"]);
        var text = (random.Next(-2000, 12000) / 1000m).ToString(CultureInfo.InvariantCulture);
        using var parsed = JsonDocument.Parse(text);
        return text != "-0" && new SchemaValidator(schema).IsValid(parsed.RootElement) ? text : null;
    }

    private string Text(JsonElement schema)
    {
        var min = schema.TryGetProperty("minLength", out var least) ? least.GetInt32() : 0;
        var max = schema.TryGetProperty("maxLength", out var most) ? most.GetInt32() : min + 20;
        var text = new StringBuilder("\"");
        for (var i = Pick([min, max, random.Next(min, max + 1)]); i > 0; i--) text.Append(Pick(Letters));
        return text.Append('"').ToString();
    }

    private string? Array(JsonElement schema, int depth)
    {
        var first = schema.TryGetProperty("prefixItems", out var prefix) ? prefix.EnumerateArray().ToArray() : [];
        var min = schema.TryGetProperty("minItems", out var least) ? least.GetInt32() : 0;
        var max = schema.TryGetProperty("maxItems", out var most) ? most.GetInt32() : Math.Max(min, first.Length) + 3;
        var hasRest = schema.TryGetProperty("items", out var rest);
        if (!hasRest && first.Length > 0) max = Math.Min(max, first.Length);
        if (hasRest && rest.ValueKind == JsonValueKind.False) max = Math.Min(max, first.Length);
        var items = new List<string>();
        for (var count = Pick([min, max, random.Next(min, max + 1)]); items.Count < count;)
        {
            var item = items.Count < first.Length ? Make(first[items.Count], depth + 1) : hasRest ? Make(rest, depth + 1) : "1";
            if (item is not null) items.Add(item);
            else if (items.Count >= min) break;
            else return null;
        }

        return $"[{string.Join(Comma(), items)}]";
    }

    private string? Object(JsonElement schema, int depth)
    {
        var required = schema.TryGetProperty("required", out var names) ? names.EnumerateArray().Select(name => name.GetString()!).ToHashSet() : [];
        var parts = new List<string>();
        var declared = schema.TryGetProperty("properties", out var properties) ? properties.EnumerateObject().ToArray() : [];
        foreach (var property in declared)
        {
            if (!required.Contains(property.Name) && random.Next(2) == 0) continue;
            var value = Make(property.Value, depth + 1);
            if (value is not null) parts.Add(Key(property.Name) + value);
            else if (required.Contains(property.Name)) return null;
        }

        var hasAdditional = schema.TryGetProperty("additionalProperties", out var additional);
        if (!hasAdditional && declared.Length > 0) return $"{{{string.Join(Comma(), parts)}}}";
        foreach (var name in required.Except(declared.Select(property => property.Name)))
        {
            var value = hasAdditional ? Make(additional, depth + 1) : "1";
            if (value is null) return null;
            parts.Add(Key(name) + value);
        }

        foreach (var name in new[] { "zz", "aa", "", "nam", "names", "é" }.Where(name => declared.All(property => property.Name != name) && !required.Contains(name) && random.Next(3) == 0))
        {
            var value = hasAdditional ? Make(additional, depth + 1) : "\"x\"";
            if (value is not null) parts.Add(Key(name) + value);
        }

        return $"{{{string.Join(Comma(), parts)}}}";
    }

    private string Comma() => random.Next(2) == 0 ? "," : ", ";

    private string Key(string name) => Spell(name) + (random.Next(2) == 0 ? ":" : ": ");

    private static string Spell(string name) => "\"" + name.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\t", "\\t") + "\"";

    private static string Compact(JsonElement value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) value.WriteTo(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private JsonElement Resolve(string reference)
    {
        var element = root;
        foreach (var name in reference.Split('/').Skip(1)) element = element.GetProperty(name.Replace("~1", "/").Replace("~0", "~"));
        return element;
    }
}
