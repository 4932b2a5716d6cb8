using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Chat;

/// <summary>Messages as callers write them to messages as templates read them: contents are texts, arguments are objects, <c>developer</c> is <c>system</c>.</summary>
internal static class ChatMessages
{
    // Prompts are for models: characters stand as they are, since nothing here is put into HTML.
    internal static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ChatPromptException">Names the message.</exception>
    public static JsonElement Normalize(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array) throw new ChatPromptException("messages", "messages is an array");
        if (messages.GetArrayLength() == 0) throw new ChatPromptException("messages", "messages is empty");
        return Write(writer =>
        {
            writer.WriteStartArray();
            var index = 0;
            foreach (var message in messages.EnumerateArray()) WriteMessage(writer, message, $"messages[{index++}]");
            writer.WriteEndArray();
        });
    }

    /// <summary>Whether a normalized chat has calls or results in it.</summary>
    public static bool MentionTools(JsonElement messages)
    {
        foreach (var message in messages.EnumerateArray())
            if (message.TryGetProperty("tool_calls", out _) || message.GetProperty("role").ValueEquals("tool"u8)) return true;
        return false;
    }

    /// <summary>JSON made by a writer, as an element that owns its memory.</summary>
    internal static JsonElement Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, Writing)) write(writer);
        using var document = JsonDocument.Parse(bytes.WrittenMemory, new JsonDocumentOptions { MaxDepth = 256 });
        return document.RootElement.Clone();
    }

    private static void WriteMessage(Utf8JsonWriter writer, JsonElement message, string place)
    {
        if (message.ValueKind != JsonValueKind.Object) throw new ChatPromptException(place, "a message is an object");
        var role = TextOf(message, "role", place) ?? throw new ChatPromptException($"{place}.role", "a message has a role");
        if (role == "developer") role = "system";
        if (role is not ("system" or "user" or "assistant" or "tool"))
            throw new ChatPromptException($"{place}.role", $"'{Shortened(role)}' is not a role: system, developer, user, assistant and tool are");
        var hasCalls = role == "assistant" && message.TryGetProperty("tool_calls", out var calls) && calls.ValueKind != JsonValueKind.Null;

        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        WriteContent(writer, message, place, isOptional: hasCalls || role == "assistant");
        WriteText(writer, message, "name", place);
        WriteText(writer, message, "reasoning_content", place);
        if (role == "tool") WriteText(writer, message, "tool_call_id", place);
        if (hasCalls) WriteCalls(writer, message.GetProperty("tool_calls"), $"{place}.tool_calls");
        writer.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter writer, JsonElement message, string place, bool isOptional)
    {
        place += ".content";
        if (!message.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            if (!isOptional) throw new ChatPromptException(place, "a message has content");
            // Templates join contents: a missing one is empty rather than the word None.
            writer.WriteString("content"u8, "");
            return;
        }

        writer.WriteString("content"u8, content.ValueKind switch
        {
            JsonValueKind.String => Valid(content, place),
            JsonValueKind.Array => string.Concat(content.EnumerateArray().Select((part, index) => PartText(part, $"{place}[{index}]"))),
            _ => throw new ChatPromptException(place, "content is a text or an array of parts"),
        });
    }

    private static string PartText(JsonElement part, string place)
    {
        if (part.ValueKind != JsonValueKind.Object) throw new ChatPromptException(place, "a part is an object");
        return TextOf(part, "type", place) switch
        {
            "text" => TextOf(part, "text", place) ?? throw new ChatPromptException($"{place}.text", "a text part has text"),
            "refusal" => TextOf(part, "refusal", place) ?? "",
            null => throw new ChatPromptException($"{place}.type", "a part has a type"),
            var other => throw new ChatPromptException($"{place}.type", $"parts of type '{Shortened(other)}' are not supported: this model reads text"),
        };
    }

    private static void WriteCalls(Utf8JsonWriter writer, JsonElement calls, string place)
    {
        if (calls.ValueKind != JsonValueKind.Array) throw new ChatPromptException(place, "tool_calls is an array");
        writer.WriteStartArray("tool_calls"u8);
        var index = 0;
        foreach (var call in calls.EnumerateArray())
        {
            var at = $"{place}[{index++}]";
            if (call.ValueKind != JsonValueKind.Object || !call.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object)
                throw new ChatPromptException(at, "a tool call has a function");
            writer.WriteStartObject();
            WriteText(writer, call, "id", at);
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteString("name"u8, TextOf(function, "name", at) ?? throw new ChatPromptException($"{at}.function.name", "a called function has a name"));
            writer.WritePropertyName("arguments"u8);
            WriteArguments(writer, function, at);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    // Callers send arguments as JSON text; templates print them as an object. What is no JSON is shown as it was.
    private static void WriteArguments(Utf8JsonWriter writer, JsonElement function, string place)
    {
        if (!function.TryGetProperty("arguments", out var arguments) || arguments.ValueKind == JsonValueKind.Null)
        {
            writer.WriteStartObject();
            writer.WriteEndObject();
            return;
        }

        if (arguments.ValueKind == JsonValueKind.Object)
        {
            arguments.WriteTo(writer);
            return;
        }

        if (arguments.ValueKind != JsonValueKind.String) throw new ChatPromptException($"{place}.function.arguments", "arguments are a JSON text");
        var text = Valid(arguments, $"{place}.function.arguments");
        try
        {
            using var parsed = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
            parsed.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(text);
        }
    }

    private static void WriteText(Utf8JsonWriter writer, JsonElement owner, string name, string place)
    {
        if (TextOf(owner, name, place) is { } text) writer.WriteString(name, text);
    }

    private static string? TextOf(JsonElement owner, string name, string place)
    {
        if (!owner.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.String ? Valid(value, $"{place}.{name}") : throw new ChatPromptException($"{place}.{name}", $"{name} is a text");
    }

    private static string Valid(JsonElement text, string place)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            // An escaped half of a surrogate pair, or bytes that are no UTF-8.
            throw new ChatPromptException(place, "not valid Unicode", error);
        }
    }

    internal static string Shortened(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "…");
}
