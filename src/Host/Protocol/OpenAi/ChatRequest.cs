using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>A body of <c>POST /v1/chat/completions</c>, checked as far as it can be without its model.</summary>
/// <param name="Chat">Messages, tools and format; <see cref="ChatPromptInput.Now"/> is not set.</param>
/// <param name="Parallel">Whether an answer may have several calls.</param>
internal sealed record ChatRequest(GenerationFields Common, SamplingParameters Sampling, ChatPromptInput Chat, bool Parallel)
{
    private const int MaxVariables = 64;

    /// <param name="json">Lives as long as the request does.</param>
    /// <exception cref="OpenAiException">The request cannot be answered as it is meant; the field is named.</exception>
    public static ChatRequest Read(JsonElement json)
    {
        var fields = new Fields(json);
        RefuseOthers(fields);
        var common = GenerationFields.Read(fields);
        var chat = ReadChat(fields);
        return new ChatRequest(common, SamplingFields.Read(fields, ReadTopLogprobs(fields)), chat, fields.Flag("parallel_tool_calls", preset: true));
    }

    private static ChatPromptInput ReadChat(Fields fields)
    {
        try
        {
            return new ChatPromptInput
            {
                Messages = fields.Any("messages") ?? throw OpenAiException.Missing("messages"),
                Tools = fields.Array("tools"),
                ToolChoice = fields.Any("tool_choice") is { } choice ? ToolChoice.Parse(choice) : ToolChoice.Auto,
                Format = fields.Any("response_format") is { } format ? AnswerFormat.Parse(format) : AnswerFormat.Text,
                // A forced answer is one call unless several were asked for in words: one is what a caller can check at once.
                AllowsSeveralCalls = fields.Flag("parallel_tool_calls"),
                Variables = ReadVariables(fields),
            };
        }
        catch (ChatPromptException error)
        {
            throw Refused(error);
        }
    }

    /// <summary>What the chat room refuses, in this API's form.</summary>
    public static OpenAiException Refused(ChatPromptException error) =>
        new(StatusCodes.Status400BadRequest, error.Message, error.Parameter, "invalid_value");

    private static void RefuseOthers(Fields fields)
    {
        fields.Refuse("audio");
        fields.Refuse("prediction");
        fields.Refuse("web_search_options");
        fields.Refuse("verbosity");
        fields.Refuse("reasoning_effort", "; 'chat_template_kwargs' hands variables to the template");
        if (fields.Array("modalities") is { } modalities)
            foreach (var modality in modalities.EnumerateArray())
                if (modality.ValueKind != JsonValueKind.String || !modality.ValueEquals("text")) throw OpenAiException.Unsupported("modalities", " with more than text, which is all that this host writes");
        if (fields.Flag("store")) throw OpenAiException.Unsupported("store", ": answers are not kept");
    }

    private static int? ReadTopLogprobs(Fields fields)
    {
        var top = fields.Integer("top_logprobs", 0, SamplingFields.MaxTopLogprobs);
        if (fields.Flag("logprobs")) return top ?? 0;
        if (top is > 0) throw OpenAiException.Invalid("top_logprobs", "is given without 'logprobs'");
        return null;
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
