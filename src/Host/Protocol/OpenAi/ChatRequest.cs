using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>What the answer must be besides text.</summary>
internal enum ResponseFormat
{
    Text,
    JsonObject,
    JsonSchema,
}

/// <summary>A body of <c>POST /v1/chat/completions</c>, checked as far as it can be without its model.</summary>
/// <param name="Messages">As templates expect them.</param>
/// <param name="Schema">For <see cref="ResponseFormat.JsonSchema"/>.</param>
/// <param name="Variables">Further variables for the template.</param>
internal sealed record ChatRequest(
    GenerationFields Common,
    SamplingParameters Sampling,
    JsonElement Messages,
    ChatTools Tools,
    ResponseFormat Format,
    ReadOnlyMemory<byte> Schema,
    IReadOnlyDictionary<string, JsonElement> Variables)
{
    private const int MaxVariables = 64;

    /// <exception cref="OpenAiException">The request cannot be answered as it is meant; the field is named.</exception>
    public static ChatRequest Read(JsonElement json)
    {
        var fields = new Fields(json);
        RefuseOthers(fields);
        var common = GenerationFields.Read(fields);
        var messages = ChatMessages.Read(fields);
        var tools = ChatTools.Read(fields);
        var (format, schema) = ReadFormat(fields);
        if (format != ResponseFormat.Text && tools.Use != ToolUse.None)
            throw OpenAiException.Invalid("response_format", "is given beside 'tools': one answer follows one schema (tool_choice none offers no tools)");
        return new ChatRequest(common, SamplingFields.Read(fields, ReadTopLogprobs(fields)), messages, tools, format, schema, ReadVariables(fields));
    }

    private static void RefuseOthers(Fields fields)
    {
        fields.Refuse("audio");
        fields.Refuse("prediction");
        fields.Refuse("web_search_options");
        fields.Refuse("verbosity");
        fields.Refuse("reasoning_effort", "; 'chat_template_kwargs' hands variables to the template");
        if (fields.Array("modalities") is { } modalities)
            foreach (var modality in modalities.EnumerateArray())
                if (modality.ValueKind != JsonValueKind.String || !modality.ValueEquals("text")) throw OpenAiException.Invalid("modalities", "has more than text, which is all that this host writes");
        if (fields.Flag("store")) throw OpenAiException.Unsupported("store", ": answers are not kept");
    }

    private static int? ReadTopLogprobs(Fields fields)
    {
        var top = fields.Integer("top_logprobs", 0, SamplingFields.MaxTopLogprobs);
        if (fields.Flag("logprobs")) return top ?? 0;
        if (top is > 0) throw OpenAiException.Invalid("top_logprobs", "is given without 'logprobs'");
        return null;
    }

    private static (ResponseFormat Format, ReadOnlyMemory<byte> Schema) ReadFormat(Fields fields)
    {
        if (fields.Object("response_format") is not { } format) return (ResponseFormat.Text, default);
        switch (format.NeededText("type"))
        {
            case "text":
                return (ResponseFormat.Text, default);
            case "json_object":
                return (ResponseFormat.JsonObject, default);
            case "json_schema":
                var described = format.Object("json_schema") ?? throw OpenAiException.Missing("response_format.json_schema");
                described.NeededText("name");
                if (described.Any("schema") is not { } schema) throw OpenAiException.Missing("response_format.json_schema.schema");
                if (schema.ValueKind is not (JsonValueKind.Object or JsonValueKind.True)) throw OpenAiException.WrongType("response_format.json_schema.schema", "an object");
                return (ResponseFormat.JsonSchema, Answers.Render(schema.WriteTo).WrittenMemory);
            case var other:
                throw OpenAiException.Invalid("response_format.type", $"{Quoted.Text(other)} is none of text, json_object, json_schema");
        }
    }

    private static Dictionary<string, JsonElement> ReadVariables(Fields fields)
    {
        var variables = new Dictionary<string, JsonElement>();
        if (fields.Any("chat_template_kwargs") is not { } given) return variables;
        if (given.ValueKind != JsonValueKind.Object) throw OpenAiException.WrongType("chat_template_kwargs", "an object");
        foreach (var variable in given.EnumerateObject())
        {
            if (variables.Count == MaxVariables) throw OpenAiException.Invalid("chat_template_kwargs", $"has more than {MaxVariables} variables");
            if (variable.Name is "messages" or "tools" or "add_generation_prompt" or "bos_token" or "eos_token")
                throw OpenAiException.Invalid("chat_template_kwargs", $"has {Quoted.Text(variable.Name)}, which the request itself gives");
            variables[variable.Name] = variable.Value;
        }

        return variables;
    }
}
