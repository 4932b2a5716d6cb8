using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tools;

/// <summary>Reads calls from the JSON that models write them in.</summary>
internal static class ToolCallJson
{
    /// <summary>The calls of a whole object, or of an array of them; null when it is anything else.</summary>
    /// <param name="tools">Names that may be called.</param>
    public static IReadOnlyList<ToolCall>? Read(string json, IReadOnlySet<string> tools, bool mayBeArray)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object) return ReadCall(root, tools) is { } call ? [call] : null;
            if (!mayBeArray || root.ValueKind != JsonValueKind.Array || root.GetArrayLength() == 0) return null;
            var calls = new List<ToolCall>();
            foreach (var item in root.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Object || ReadCall(item, tools) is not { } each) return null;
                calls.Add(each);
            }

            return calls;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // No JSON, or half of a surrogate pair in a name.
            return null;
        }
    }

    private static ToolCall? ReadCall(JsonElement call, IReadOnlySet<string> tools)
    {
        if (call.TryGetProperty("function"u8, out var function) && function.ValueKind == JsonValueKind.Object) call = function;
        if (!call.TryGetProperty("name"u8, out var name) || name.ValueKind != JsonValueKind.String || !tools.Contains(name.GetString()!)) return null;
        if (!call.TryGetProperty("arguments"u8, out var arguments) && !call.TryGetProperty("parameters"u8, out arguments)) return new ToolCall(name.GetString()!, "{}");
        switch (arguments.ValueKind)
        {
            case JsonValueKind.Object: return new ToolCall(name.GetString()!, arguments.GetRawText());
            case JsonValueKind.Null: return new ToolCall(name.GetString()!, "{}");
            case JsonValueKind.String:
                // Some models write the arguments as a text of JSON.
                using (var inner = JsonDocument.Parse(arguments.GetString()!))
                    return inner.RootElement.ValueKind == JsonValueKind.Object ? new ToolCall(name.GetString()!, inner.RootElement.GetRawText()) : null;
            default: return null;
        }
    }
}
