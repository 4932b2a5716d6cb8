using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Chat;

namespace OpenGradient.Engine.LanguageModels.Tools;

/// <summary>A tool that a model may call.</summary>
/// <param name="Name">1 to 64 letters, digits, <c>_</c>, <c>-</c> and <c>.</c>.</param>
/// <param name="Parameters">JSON schema of the arguments object; null for a tool without arguments.</param>
/// <param name="IsStrict">Whether a forced call must follow the schema, and a schema that cannot be enforced is refused.</param>
public sealed record ToolDefinition(string Name, string? Description, JsonElement? Parameters, bool IsStrict = false)
{
    /// <summary>Most tools of one request: what OpenAI's API allows.</summary>
    public const int MaxTools = 128;

    private const int MaxName = 64;

    /// <summary>From OpenAI's <c>tools</c>.</summary>
    /// <exception cref="ChatPromptException">Names the tool.</exception>
    public static IReadOnlyList<ToolDefinition> ParseAll(JsonElement? tools)
    {
        if (tools is not { } array || array.ValueKind == JsonValueKind.Null) return [];
        if (array.ValueKind != JsonValueKind.Array) throw new ChatPromptException("tools", "tools is an array");
        if (array.GetArrayLength() > MaxTools) throw new ChatPromptException("tools", $"more than {MaxTools} tools");
        var parsed = new List<ToolDefinition>();
        foreach (var tool in array.EnumerateArray())
        {
            var place = $"tools[{parsed.Count}]";
            var definition = Parse(tool, place);
            if (parsed.Any(other => other.Name == definition.Name)) throw new ChatPromptException(place, $"two tools are named '{definition.Name}'");
            parsed.Add(definition);
        }

        return parsed;
    }

    /// <summary>The tools in OpenAI's form, as templates read them.</summary>
    public static JsonElement ToJson(IEnumerable<ToolDefinition> tools) => ChatMessages.Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var tool in tools)
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteString("name"u8, tool.Name);
            if (tool.Description is not null) writer.WriteString("description"u8, tool.Description);
            writer.WritePropertyName("parameters"u8);
            tool.WriteParameters(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    internal void WriteParameters(Utf8JsonWriter writer)
    {
        if (Parameters is { } parameters)
        {
            parameters.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("type"u8, "object"u8);
        writer.WriteStartObject("properties"u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static ToolDefinition Parse(JsonElement tool, string place)
    {
        if (tool.ValueKind != JsonValueKind.Object) throw new ChatPromptException(place, "a tool is an object");
        if (!tool.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("function"u8))
            throw new ChatPromptException($"{place}.type", "a tool's type is function");
        if (!tool.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object)
            throw new ChatPromptException($"{place}.function", "a tool has a function");
        var name = Text(function, "name", place) ?? throw new ChatPromptException($"{place}.function.name", "a function has a name");
        if (name.Length is 0 or > MaxName || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.'))
            throw new ChatPromptException($"{place}.function.name", $"a function's name is 1 to {MaxName} letters, digits, '_', '-' and '.'");
        JsonElement? parameters = null;
        if (function.TryGetProperty("parameters", out var given) && given.ValueKind != JsonValueKind.Null)
            parameters = given.ValueKind == JsonValueKind.Object ? given : throw new ChatPromptException($"{place}.function.parameters", "parameters are a JSON schema object");
        var isStrict = function.TryGetProperty("strict", out var strict) && strict.ValueKind == JsonValueKind.True;
        return new ToolDefinition(name, Text(function, "description", place), parameters, isStrict);
    }

    private static string? Text(JsonElement function, string name, string place)
    {
        if (!function.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException error)
        {
            throw new ChatPromptException($"{place}.function.{name}", $"{name} is a text of valid Unicode", error);
        }
    }
}
