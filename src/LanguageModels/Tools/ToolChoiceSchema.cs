using System.Buffers;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tools;

/// <summary>
/// JSON schemas that force a call: <c>{"name":…,"arguments":{…}}</c> of one of the tools. Arguments follow the tool's own schema.
/// The schema of a tool that is not strict may use keywords that cannot be enforced: its arguments are then any object.
/// </summary>
public static class ToolChoiceSchema
{
    private static readonly byte[] AnyArguments = "{\"type\":\"object\"}"u8.ToArray();

    /// <summary>One call of one of the tools, or an array of one or more.</summary>
    /// <param name="tools">At least one.</param>
    /// <param name="several">Whether the answer is an array of calls.</param>
    /// <returns>UTF-8 JSON schema.</returns>
    public static byte[] Build(IReadOnlyList<ToolDefinition> tools, bool several) => Write(writer =>
    {
        if (!several)
        {
            WriteCall(writer, tools, _ => true);
            return;
        }

        WriteCalls(writer, tools, _ => true);
    });

    /// <summary>Compiles <see cref="Build"/>.</summary>
    /// <exception cref="JsonSchemaException">A strict tool's schema cannot be enforced.</exception>
    public static ITokenConstraintSource Compile(IReadOnlyList<ToolDefinition> tools, bool several, Tokenizer tokenizer) =>
        Compile(tools, TokenVocabulary.Of(tokenizer), (writer, enforced) =>
        {
            if (several) WriteCalls(writer, tools, enforced);
            else WriteCall(writer, tools, enforced);
        });

    /// <summary>An answer that follows a schema, or one call instead of it.</summary>
    /// <param name="schema">UTF-8 JSON.</param>
    /// <exception cref="JsonSchemaException">The schema, or a strict tool's, cannot be enforced.</exception>
    public static ITokenConstraintSource CompileOr(ReadOnlyMemory<byte> schema, IReadOnlyList<ToolDefinition> tools, Tokenizer tokenizer)
    {
        var vocabulary = TokenVocabulary.Of(tokenizer);
        // Alone first: an error names the place in the schema that the caller wrote.
        JsonSchemaConstraint.Check(schema);
        using var document = JsonDocument.Parse(schema, JsonSchemaConstraint.Reading);
        var answer = document.RootElement;
        return Compile(tools, vocabulary, (writer, enforced) =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("anyOf"u8);
            WriteResource(writer, answer, "answer");
            WriteCall(writer, tools, enforced);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static ITokenConstraintSource Compile(IReadOnlyList<ToolDefinition> tools, TokenVocabulary vocabulary, Action<Utf8JsonWriter, Func<ToolDefinition, bool>> write)
    {
        var unenforced = new HashSet<string>();
        foreach (var tool in tools)
        {
            if (tool.Parameters is not { } parameters) continue;
            try
            {
                JsonSchemaConstraint.Check(System.Text.Encoding.UTF8.GetBytes(parameters.GetRawText()));
            }
            catch (JsonSchemaException) when (!tool.IsStrict)
            {
                unenforced.Add(tool.Name);
            }
            catch (JsonSchemaException error)
            {
                throw new JsonSchemaException($"parameters of tool '{tool.Name}': {error.Message}", error);
            }
        }

        return JsonSchemaConstraint.Compile(Write(writer => write(writer, tool => !unenforced.Contains(tool.Name))), vocabulary);
    }

    private static void WriteCalls(Utf8JsonWriter writer, IReadOnlyList<ToolDefinition> tools, Func<ToolDefinition, bool> enforced)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "array"u8);
        writer.WriteNumber("minItems"u8, 1);
        // As many as there may be tools: a model that repeats itself comes to an end.
        writer.WriteNumber("maxItems"u8, ToolDefinition.MaxTools);
        writer.WritePropertyName("items"u8);
        WriteCall(writer, tools, enforced);
        writer.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter writer, IReadOnlyList<ToolDefinition> tools, Func<ToolDefinition, bool> enforced)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("anyOf"u8);
        for (var i = 0; i < tools.Count; i++)
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "object"u8);
            writer.WriteStartObject("properties"u8);
            writer.WriteStartObject("name"u8);
            writer.WriteString("const"u8, tools[i].Name);
            writer.WriteEndObject();
            writer.WritePropertyName("arguments"u8);
            if (!enforced(tools[i])) writer.WriteRawValue(AnyArguments);
            else if (tools[i].Parameters is { } parameters) WriteArguments(writer, parameters, $"tool-{i}");
            else tools[i].WriteParameters(writer);
            writer.WriteEndObject();
            writer.WriteStartArray("required"u8);
            writer.WriteStringValue("name"u8);
            writer.WriteStringValue("arguments"u8);
            writer.WriteEndArray();
            writer.WriteBoolean("additionalProperties"u8, false);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    // Arguments are an object, whether or not the tool's schema says so.
    private static void WriteArguments(Utf8JsonWriter writer, JsonElement parameters, string id)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "object"u8);
        writer.WriteStartArray("allOf"u8);
        WriteResource(writer, parameters, id);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    // A schema inside another keeps its own references: "$id" makes it the root that "#/…" is read from.
    private static void WriteResource(Utf8JsonWriter writer, JsonElement schema, string id)
    {
        if (schema.ValueKind != JsonValueKind.Object || schema.TryGetProperty("$id"u8, out _))
        {
            schema.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("$id"u8, id);
        foreach (var property in schema.EnumerateObject()) property.WriteTo(writer);
        writer.WriteEndObject();
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, ChatMessages.Writing)) write(writer);
        return bytes.WrittenSpan.ToArray();
    }
}
