using System.Text.Json;
using System.Text.Unicode;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>Reads a body as JSON whose every text can be read: what is behind it never meets half a character.</summary>
internal static class RequestJson
{
    // Schemas nest; a template never follows deeper than this.
    private const int MaxDepth = 64;

    /// <exception cref="OpenAiException">The body is not one JSON object in UTF-8, or gives a property twice.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty) throw Bad("the body is empty; a JSON object is needed");
        if (!Utf8.IsValid(body.Span)) throw Bad("the body is not UTF-8");
        try
        {
            CheckEscapes(body.Span);
            // Of a property given twice each reader takes another, and only one of them is committed to.
            var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException error)
        {
            throw Bad(error.LineNumber is { } line ? $"malformed JSON at line {line + 1}, byte {error.BytePositionInLine}: {Reason(error)}" : $"malformed JSON: {Reason(error)}");
        }

        throw Bad("the body is not a JSON object");
    }

    // Bytes are UTF-8 by now, so that an escape alone can be half of a character.
    private static void CheckEscapes(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw Bad("the body has a text with half a character (a lone surrogate)");
            }
        }
    }

    // The reader's sentence without the position, which has been said, and without the text around it.
    private static string Reason(JsonException error) =>
        error.Message.Contains("uplicate", StringComparison.Ordinal) ? "a property is given twice"
        : error.Message.Contains("depth", StringComparison.OrdinalIgnoreCase) ? $"deeper than {MaxDepth}"
        : "it does not parse";

    private static OpenAiException Bad(string message) => new(StatusCodes.Status400BadRequest, message, null, "invalid_json");
}
