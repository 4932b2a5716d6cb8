using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Chat;

/// <summary>What an answer's text is to be.</summary>
public sealed class AnswerFormat
{
    private static readonly byte[] AnyObject = "{\"type\":\"object\"}"u8.ToArray();

    private AnswerFormat(ReadOnlyMemory<byte>? schema) => Schema = schema;

    /// <summary>Free text.</summary>
    public static AnswerFormat Text { get; } = new(null);

    /// <summary>Any JSON object.</summary>
    public static AnswerFormat JsonObject { get; } = new(AnyObject);

    /// <summary>UTF-8 JSON schema that the answer follows; null for free text.</summary>
    public ReadOnlyMemory<byte>? Schema { get; }

    /// <summary>JSON that follows a schema.</summary>
    /// <param name="schema">UTF-8 JSON.</param>
    public static AnswerFormat JsonSchema(ReadOnlyMemory<byte> schema) => new(schema);

    /// <summary>From OpenAI's <c>response_format</c>.</summary>
    /// <exception cref="ChatPromptException">Not a format.</exception>
    public static AnswerFormat Parse(JsonElement format)
    {
        if (format.ValueKind == JsonValueKind.Null) return Text;
        if (format.ValueKind != JsonValueKind.Object || !format.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
            throw new ChatPromptException("response_format", "response_format is an object with a type");
        switch (type.GetString())
        {
            case "text": return Text;
            case "json_object": return JsonObject;
            case "json_schema":
                if (!format.TryGetProperty("json_schema", out var named) || named.ValueKind != JsonValueKind.Object || !named.TryGetProperty("schema", out var schema))
                    throw new ChatPromptException("response_format.json_schema", "a json_schema response format has json_schema.schema");
                return JsonSchema(System.Text.Encoding.UTF8.GetBytes(schema.GetRawText()));
            default: throw new ChatPromptException("response_format.type", "response_format.type is text, json_object or json_schema");
        }
    }
}
