using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Constraints.Automata;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>A schema's constants: how they are written in an answer, and whether two are the same value.</summary>
internal static class JsonValues
{
    /// <summary>The value without white space, strings in canonical spelling, numbers as the schema writes them.</summary>
    public static byte[] Spell(JsonElement value)
    {
        var text = new List<byte>();
        Spell(value, text, isSorted: false);
        return [.. text];
    }

    /// <summary>Equal for equal values: names sorted, numbers by value.</summary>
    public static string Identity(JsonElement value)
    {
        var text = new List<byte>();
        Spell(value, text, isSorted: true);
        return Encoding.UTF8.GetString([.. text]);
    }

    private static void Spell(JsonElement value, List<byte> text, bool isSorted)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                IEnumerable<JsonProperty> properties = value.EnumerateObject();
                if (isSorted) properties = properties.OrderBy(property => property.Name, StringComparer.Ordinal);
                text.Add((byte)'{');
                var isFirst = true;
                foreach (var property in properties)
                {
                    if (!isFirst) text.Add((byte)',');
                    isFirst = false;
                    text.AddRange(JsonStrings.Spell(property.Name));
                    text.Add((byte)':');
                    Spell(property.Value, text, isSorted);
                }

                text.Add((byte)'}');
                break;
            case JsonValueKind.Array:
                text.Add((byte)'[');
                for (var i = 0; i < value.GetArrayLength(); i++)
                {
                    if (i > 0) text.Add((byte)',');
                    Spell(value[i], text, isSorted);
                }

                text.Add((byte)']');
                break;
            case JsonValueKind.String:
                text.AddRange(JsonStrings.Spell(value.GetString()!));
                break;
            case JsonValueKind.Number when isSorted && DecimalNumber.Parse(value.GetRawText()) is { } number:
                text.AddRange(Encoding.ASCII.GetBytes(number.ToString()));
                break;
            default:
                text.AddRange(Encoding.UTF8.GetBytes(value.GetRawText()));
                break;
        }
    }
}
