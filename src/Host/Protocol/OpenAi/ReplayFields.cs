using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary><c>og_replay</c>: what the receipt holds digests of. With it, and the model, anybody can execute the answer again.</summary>
internal static class ReplayFields
{
    /// <param name="request">As the scheduler had it.</param>
    public static void Write(Utf8JsonWriter json, GenerationRequest request, GenerationResult result)
    {
        if (result.Parameters is not { } parameters) return;
        json.WriteStartObject("og_replay");
        WriteTokens(json, "prompt", request.Prompt.Span);
        WriteTokens(json, "tokens", [.. result.Tokens]);
        json.WriteNumber("finish", (int)result.Finish);
        json.WriteBase64String("parameters", parameters.Encode());
        if (request.Constraint is { } constraint) json.WriteBase64String("constraint", constraint.Description.Span);
        json.WriteString("previous", (result.Heads is [.., var before, _] ? before.Batch.LeafHash(before.Row) : Hash256.Zero).ToString());
        json.WriteEndObject();
    }

    private static void WriteTokens(Utf8JsonWriter json, string name, ReadOnlySpan<int> tokens)
    {
        json.WriteStartArray(name);
        foreach (var token in tokens) json.WriteNumberValue(token);
        json.WriteEndArray();
    }
}
