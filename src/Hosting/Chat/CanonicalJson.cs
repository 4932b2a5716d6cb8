using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>One text per JSON value, for signing: names in the order of their UTF-16 code units, no white space, numbers as they were written, only what must be escaped escaped.</summary>
internal static class CanonicalJson
{
    public static string Write(JsonElement value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static void Write(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                var isFirst = true;
                foreach (var property in value.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal))
                {
                    if (!isFirst) text.Append(',');
                    isFirst = false;
                    WriteText(property.Name, text);
                    text.Append(':');
                    Write(property.Value, text);
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                for (var i = 0; i < value.GetArrayLength(); i++)
                {
                    if (i > 0) text.Append(',');
                    Write(value[i], text);
                }

                text.Append(']');
                break;
            case JsonValueKind.String: WriteText(value.GetString()!, text); break;
            case JsonValueKind.Undefined: text.Append("null"); break;
            default: text.Append(value.GetRawText()); break;
        }
    }

    private static void WriteText(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var letter in value)
        {
            if (letter is '"' or '\\') text.Append('\\').Append(letter);
            else if (letter < ' ') text.Append("\\u").Append(((int)letter).ToString("x4"));
            else text.Append(letter);
        }

        text.Append('"');
    }
}
