using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>
/// <see cref="ChatOptions"/> as this engine understands them. Beyond their own fields, <c>AdditionalProperties</c> may have
/// <c>min_p</c>, <c>repetition_penalty</c>, <c>og_caller</c> and <c>chat_template_kwargs</c> (an object); others are ignored.
/// </summary>
internal static class ChatOptionsMapping
{
    /// <exception cref="ChatPromptException">A message, tool, mode or format cannot be asked.</exception>
    public static ChatPromptInput PromptOf(IEnumerable<ChatMessage> messages, ChatOptions? options, DateTimeOffset now) => new()
    {
        Messages = ChatMessageJson.Messages(messages, options?.Instructions),
        Tools = ChatMessageJson.Tools(options?.Tools),
        ToolChoice = options?.ToolMode switch
        {
            null or AutoChatToolMode => ToolChoice.Auto,
            NoneChatToolMode => ToolChoice.None,
            RequiredChatToolMode { RequiredFunctionName: { } name } => ToolChoice.Of(name),
            RequiredChatToolMode => ToolChoice.Required,
            var other => throw new ChatPromptException("tool_choice", $"tool mode {other.GetType().Name} is not known"),
        },
        Format = options?.ResponseFormat switch
        {
            ChatResponseFormatJson { Schema: { } schema } => AnswerFormat.JsonSchema(Encoding.UTF8.GetBytes(schema.GetRawText())),
            ChatResponseFormatJson => AnswerFormat.JsonObject,
            _ => AnswerFormat.Text,
        },
        AllowsSeveralCalls = options?.AllowMultipleToolCalls ?? false,
        Variables = VariablesOf(options),
        Now = now,
    };

    /// <exception cref="ArgumentException">An additional property is no number.</exception>
    public static GenerationRequest RequestOf(ChatPrompt prompt, ChatOptions? options, bool isStreamed)
    {
        var defaults = new SamplingParameters();
        return new GenerationRequest
        {
            Prompt = prompt.Tokens,
            Constraint = prompt.Constraint,
            MaxTokens = options?.MaxOutputTokens,
            Stop = options?.StopSequences is { } stop ? [.. stop] : [],
            Caller = options?.AdditionalProperties is { } properties && properties.TryGetValue("og_caller", out var caller) ? caller?.ToString() : null,
            IsStreamed = isStreamed,
            Sampling = defaults with
            {
                Temperature = options?.Temperature ?? defaults.Temperature,
                TopP = options?.TopP ?? defaults.TopP,
                TopK = options?.TopK ?? defaults.TopK,
                MinP = Number(options, "min_p") ?? defaults.MinP,
                RepetitionPenalty = Number(options, "repetition_penalty") ?? defaults.RepetitionPenalty,
                PresencePenalty = options?.PresencePenalty ?? defaults.PresencePenalty,
                FrequencyPenalty = options?.FrequencyPenalty ?? defaults.FrequencyPenalty,
                Seed = options?.Seed is { } seed ? unchecked((ulong)seed) : null,
            },
        };
    }

    private static float? Number(ChatOptions? options, string name)
    {
        if (options?.AdditionalProperties is not { } properties || !properties.TryGetValue(name, out var value) || value is null) return null;
        try
        {
            return value is JsonElement element ? element.GetSingle() : Convert.ToSingle(value, CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is InvalidCastException or FormatException or OverflowException or InvalidOperationException)
        {
            throw new ArgumentException($"{name} is a number", nameof(options), error);
        }
    }

    private static Dictionary<string, JsonElement> VariablesOf(ChatOptions? options)
    {
        var variables = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (options?.AdditionalProperties is not { } properties || !properties.TryGetValue("chat_template_kwargs", out var given) || given is null) return variables;
        var element = ChatMessageJson.Value(given);
        if (element.ValueKind != JsonValueKind.Object) throw new ArgumentException("chat_template_kwargs is an object", nameof(options));
        foreach (var property in element.EnumerateObject()) variables[property.Name] = property.Value.Clone();
        return variables;
    }
}
