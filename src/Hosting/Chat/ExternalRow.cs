using System.Globalization;
using Microsoft.Extensions.AI;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>What another provider was asked and answered, as bytes (docs/formats.md, "Row of another provider's answer").</summary>
public static class ExternalRow
{
    /// <summary>How an answer ended, as the row has it.</summary>
    internal const byte Part = 0, Ended = 1;

    /// <summary>The input tensor <c>messages</c>.</summary>
    public static byte[] Messages(IEnumerable<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var writer = new CborWriter();
        WriteMessages(writer, [.. messages]);
        return writer.ToArray();
    }

    /// <summary>The input tensor <c>options</c>: those that change answers; null is as none set.</summary>
    public static byte[] Options(ChatOptions? options)
    {
        var map = new Map();
        map.Text(1, options?.ModelId);
        map.Text(2, options?.Instructions);
        map.Text(3, Number(options?.Temperature));
        map.Text(4, Number(options?.MaxOutputTokens));
        map.Text(5, Number(options?.TopP));
        map.Text(6, Number(options?.TopK));
        map.Text(7, Number(options?.FrequencyPenalty));
        map.Text(8, Number(options?.PresencePenalty));
        map.Text(9, Number(options?.Seed));
        if (options?.StopSequences is { Count: > 0 } stop)
        {
            map.Add(10, writer =>
            {
                writer.Array(stop.Count);
                foreach (var text in stop) writer.Text(text);
            });
        }

        map.Text(11, options?.ResponseFormat switch
        {
            null => null,
            ChatResponseFormatJson { Schema: { } schema } => CanonicalJson.Write(schema),
            ChatResponseFormatJson => "json",
            _ => "text",
        });
        map.Text(12, options?.ToolMode switch
        {
            null => null,
            AutoChatToolMode => "auto",
            NoneChatToolMode => "none",
            RequiredChatToolMode required => required.RequiredFunctionName is { } name ? $"required {name}" : "required",
            var other => other.GetType().Name,
        });
        if (options?.Tools is { Count: > 0 } tools)
        {
            map.Add(13, writer =>
            {
                writer.Array(tools.Count);
                foreach (var tool in tools)
                {
                    var each = new Map();
                    each.Text(1, tool.Name);
                    each.Text(2, tool.Description);
                    if (tool is AIFunctionDeclaration function) each.Text(3, CanonicalJson.Write(function.JsonSchema));
                    each.WriteTo(writer);
                }
            });
        }

        map.Text(14, options?.ConversationId);
        return map.ToArray();
    }

    /// <summary>The output tensor <c>answer</c>.</summary>
    public static byte[] Answer(ChatResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        var map = new Map();
        map.Text(1, response.ResponseId);
        map.Text(2, response.ModelId);
        map.Add(3, writer => WriteMessages(writer, [.. response.Messages]));
        map.Text(4, response.FinishReason?.Value);
        if (response.Usage?.InputTokenCount is { } input and >= 0) map.Add(5, writer => writer.UInt((ulong)input));
        if (response.Usage?.OutputTokenCount is { } output and >= 0) map.Add(6, writer => writer.UInt((ulong)output));
        return map.ToArray();
    }

    private static void WriteMessages(CborWriter writer, List<ChatMessage> messages)
    {
        writer.Array(messages.Count);
        foreach (var message in messages)
        {
            var map = new Map();
            map.Text(1, message.Role.Value);
            map.Text(2, message.AuthorName);
            // Usage is counted beside the messages, and streams put it among them.
            AIContent[] contents = [.. message.Contents.Where(content => content is not UsageContent)];
            map.Add(3, inner =>
            {
                inner.Array(contents.Length);
                foreach (var content in contents) WriteContent(inner, content);
            });
            map.WriteTo(writer);
        }
    }

    private static void WriteContent(CborWriter writer, AIContent content)
    {
        var map = new Map();
        void Kind(ulong kind) => map.Add(1, inner => inner.UInt(kind));
        switch (content)
        {
            case TextContent text:
                Kind(1);
                map.Text(2, text.Text);
                break;
            case TextReasoningContent reasoning:
                Kind(2);
                map.Text(2, reasoning.Text);
                break;
            case FunctionCallContent call:
                Kind(3);
                map.Text(2, call.CallId);
                map.Text(3, call.Name);
                map.Text(4, CanonicalJson.Write(ChatMessageJson.Arguments(call)));
                break;
            case FunctionResultContent result:
                Kind(4);
                map.Text(2, result.CallId);
                map.Text(3, CanonicalJson.Write(ChatMessageJson.Value(result.Result)));
                break;
            case DataContent data:
                Kind(5);
                map.Text(2, data.MediaType);
                map.Add(3, inner => inner.Bytes(Hash256.Sha256(data.Data.Span).Bytes));
                break;
            case UriContent uri:
                Kind(6);
                map.Text(2, uri.MediaType);
                map.Text(3, uri.Uri.OriginalString);
                break;
            default:
                Kind(7);
                map.Text(2, content.GetType().Name);
                break;
        }

        map.WriteTo(writer);
    }

    // Shortest text that gives the number back, so that a value has one.
    private static string? Number<T>(T? value) where T : struct, IFormattable => value?.ToString(null, CultureInfo.InvariantCulture);

    /// <summary>A CBOR map whose entries are counted as they come; keys ascend, and what is null is left out.</summary>
    private sealed class Map
    {
        private readonly List<(ulong Key, Action<CborWriter> Write)> _entries = [];

        public void Add(ulong key, Action<CborWriter> write) => _entries.Add((key, write));

        public void Text(ulong key, string? text)
        {
            if (text is not null) Add(key, writer => writer.Text(text));
        }

        public void WriteTo(CborWriter writer)
        {
            writer.Map(_entries.Count);
            foreach (var (key, write) in _entries)
            {
                writer.UInt(key);
                write(writer);
            }
        }

        public byte[] ToArray()
        {
            var writer = new CborWriter();
            WriteTo(writer);
            return writer.ToArray();
        }
    }
}
