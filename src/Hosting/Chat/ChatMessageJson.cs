using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenGradient.Engine.LanguageModels.Chat;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>Messages and tools of Microsoft.Extensions.AI in the forms of OpenAI's chat completions, which <see cref="ChatPrompt"/> reads.</summary>
internal static class ChatMessageJson
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="instructions">A system message in front; null for none.</param>
    /// <exception cref="ChatPromptException">A message holds what a text model cannot read.</exception>
    public static JsonElement Messages(IEnumerable<ChatMessage> messages, string? instructions) => Write(writer =>
    {
        writer.WriteStartArray();
        if (!string.IsNullOrEmpty(instructions)) WriteText(writer, "system", instructions);
        var index = 0;
        foreach (var message in messages) WriteMessage(writer, message, index++);
        writer.WriteEndArray();
    });

    /// <exception cref="ChatPromptException">A tool is none that this host can hand to a model.</exception>
    public static JsonElement? Tools(IList<AITool>? tools)
    {
        if (tools is null or { Count: 0 }) return null;
        return Write(writer =>
        {
            writer.WriteStartArray();
            foreach (var tool in tools)
            {
                if (tool is not AIFunctionDeclaration function) throw new ChatPromptException("tools", $"tool '{tool.Name}' is a {tool.GetType().Name}: only functions can be called here");
                writer.WriteStartObject();
                writer.WriteString("type"u8, "function"u8);
                writer.WriteStartObject("function"u8);
                writer.WriteString("name"u8, function.Name);
                if (function.Description.Length > 0) writer.WriteString("description"u8, function.Description);
                writer.WritePropertyName("parameters"u8);
                function.JsonSchema.WriteTo(writer);
                if (function.AdditionalProperties.TryGetValue("strict", out var strict) && strict is true) writer.WriteBoolean("strict"u8, true);
                writer.WriteEndObject();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    }

    /// <summary>A value as the application's serializer has it; what it cannot write is its text.</summary>
    public static JsonElement Value(object? value)
    {
        if (value is JsonElement element) return element;
        try
        {
            return JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object)));
        }
        catch (Exception error) when (error is NotSupportedException or JsonException or InvalidOperationException)
        {
            return JsonSerializer.SerializeToElement(value?.ToString() ?? "", AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(string)));
        }
    }

    internal static JsonElement Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, Writing)) write(writer);
        using var document = JsonDocument.Parse(bytes.WrittenMemory, new JsonDocumentOptions { MaxDepth = 256 });
        return document.RootElement.Clone();
    }

    private static void WriteMessage(Utf8JsonWriter writer, ChatMessage message, int index)
    {
        // Results are messages of their own, one per call, wherever they stand.
        foreach (var result in message.Contents.OfType<FunctionResultContent>())
        {
            writer.WriteStartObject();
            writer.WriteString("role"u8, "tool"u8);
            writer.WriteString("tool_call_id"u8, result.CallId);
            writer.WriteString("content"u8, ResultText(result));
            writer.WriteEndObject();
        }

        var text = string.Concat(message.Contents.OfType<TextContent>().Select(content => content.Text));
        var reasoning = string.Concat(message.Contents.OfType<TextReasoningContent>().Select(content => content.Text));
        FunctionCallContent[] calls = [.. message.Contents.OfType<FunctionCallContent>()];
        if (message.Contents.FirstOrDefault(content => content is DataContent or UriContent or HostedFileContent) is { } unreadable)
            throw new ChatPromptException($"messages[{index}].content", $"{unreadable.GetType().Name} cannot be read by this model: it reads text");
        // A tool's message without text is its results and nothing else.
        if (text.Length == 0 && calls.Length == 0 && (message.Role == ChatRole.Tool || message.Contents.OfType<FunctionResultContent>().Any())) return;

        writer.WriteStartObject();
        writer.WriteString("role"u8, message.Role.Value);
        writer.WriteString("content"u8, text);
        if (!string.IsNullOrEmpty(message.AuthorName)) writer.WriteString("name"u8, message.AuthorName);
        if (reasoning.Length > 0) writer.WriteString("reasoning_content"u8, reasoning);
        if (calls.Length > 0) WriteCalls(writer, calls);
        writer.WriteEndObject();
    }

    private static void WriteCalls(Utf8JsonWriter writer, FunctionCallContent[] calls)
    {
        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, call.CallId);
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteString("name"u8, call.Name);
            writer.WritePropertyName("arguments"u8);
            Arguments(call).WriteTo(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    internal static JsonElement Arguments(FunctionCallContent call) => Write(writer =>
    {
        writer.WriteStartObject();
        foreach (var (name, value) in call.Arguments ?? new Dictionary<string, object?>())
        {
            writer.WritePropertyName(name);
            Value(value).WriteTo(writer);
        }

        writer.WriteEndObject();
    });

    private static string ResultText(FunctionResultContent result)
    {
        if (result.Exception is not null && result.Result is null) return $"Error: {result.Exception.Message}";
        return result.Result switch
        {
            null => "",
            string text => text,
            TextContent content => content.Text,
            JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
            // Written anew: the application's serializer may indent, and a prompt is no place for that.
            var other => Write(Value(other).WriteTo).GetRawText(),
        };
    }

    private static void WriteText(Utf8JsonWriter writer, string role, string text)
    {
        writer.WriteStartObject();
        writer.WriteString("role"u8, role);
        writer.WriteString("content"u8, text);
        writer.WriteEndObject();
    }
}
