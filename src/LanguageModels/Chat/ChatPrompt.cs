using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tools;

namespace OpenGradient.Engine.LanguageModels.Chat;

/// <summary>A chat, as a caller asks it. Immutable. JSON has the forms of OpenAI's chat completions.</summary>
public sealed record ChatPromptInput
{
    /// <summary>An array of messages, at least one, with roles <c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> and <c>tool</c>; contents are texts or arrays of text parts.</summary>
    public required JsonElement Messages { get; init; }

    /// <summary>An array of <c>{"type":"function","function":{…}}</c>; null for none.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Whether and which tool is to be called. Default: as the model likes.</summary>
    public ToolChoice ToolChoice { get; init; } = ToolChoice.Auto;

    /// <summary>What the answer's text is to be. Default: free text.</summary>
    public AnswerFormat Format { get; init; } = AnswerFormat.Text;

    /// <summary>Whether a forced answer may call several tools. Default no: one call is what a caller can check at once.</summary>
    public bool AllowsSeveralCalls { get; init; }

    /// <summary>Further variables of the template, for example <c>enable_thinking</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = System.Collections.Frozen.FrozenDictionary<string, JsonElement>.Empty;

    /// <summary>What templates print as the date.</summary>
    public DateTimeOffset Now { get; init; }
}

/// <summary>A chat ready to generate from: the prompt's tokens, the answer's constraint, and how calls are told from content. Immutable.</summary>
public sealed class ChatPrompt
{
    private readonly IReadOnlyList<string> _tools;
    private readonly bool _expectsCall;

    private ChatPrompt(string text, ReadOnlyMemory<int> tokens, ITokenConstraintSource? constraint, IReadOnlyList<string> tools, bool expectsCall)
    {
        Text = text;
        Tokens = tokens;
        Constraint = constraint;
        _tools = tools;
        _expectsCall = expectsCall;
    }

    /// <summary>What the template rendered.</summary>
    public string Text { get; }

    public ReadOnlyMemory<int> Tokens { get; }

    /// <summary>Null for a free answer.</summary>
    public ITokenConstraintSource? Constraint { get; }

    /// <summary>One per answer. Without tools it passes all text on as content.</summary>
    public ToolCallParser StartParser() => new(_tools, _expectsCall);

    /// <summary>Renders, tokenizes and compiles.</summary>
    /// <exception cref="ChatPromptException">The chat cannot be asked; the exception names the part.</exception>
    public static ChatPrompt Create(LanguageModelParts model, ChatPromptInput input)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(input);
        var template = model.Template ?? throw new ChatPromptException("messages", "this model has no chat template: it completes texts, and does not chat");
        var messages = ChatMessages.Normalize(input.Messages);
        var tools = ToolDefinition.ParseAll(input.Tools);
        Check(input.ToolChoice, tools);
        // A model that may not call anything is not told of tools either.
        if (input.ToolChoice.Kind == ToolChoiceKind.None) tools = [];
        var text = Render(template, model, input, messages, tools);
        var constraint = Constrain(model, input, tools, out var expectsCall);
        return new ChatPrompt(text, model.Tokenizer.Encode(text, addSpecialTokens: false), constraint, [.. tools.Select(tool => tool.Name)], expectsCall);
    }

    private static void Check(ToolChoice choice, IReadOnlyList<ToolDefinition> tools)
    {
        if (choice.Kind == ToolChoiceKind.Required && tools.Count == 0) throw new ChatPromptException("tool_choice", "a call is required, and there are no tools");
        if (choice.Kind == ToolChoiceKind.Named && tools.All(tool => tool.Name != choice.Name))
            throw new ChatPromptException("tool_choice", $"there is no tool '{choice.Name}'");
    }

    private static string Render(ChatTemplate template, LanguageModelParts model, ChatPromptInput input, JsonElement messages, IReadOnlyList<ToolDefinition> tools)
    {
        var plain = new ChatTemplateInput
        {
            Messages = messages,
            BosToken = model.BosToken,
            EosToken = model.EosToken,
            Variables = input.Variables,
            Now = input.Now,
        };
        try
        {
            if (tools.Count == 0) return template.Render(ChatMessages.MentionTools(messages) ? plain with { Messages = ToolText.Rewrite(messages, []) } : plain);
            // A model whose template does not know tools is told of them in a message.
            return Shown(template, plain, tools) ?? template.Render(plain with { Messages = ToolText.Rewrite(messages, tools) });
        }
        catch (ChatTemplateException error)
        {
            throw new ChatPromptException("messages", $"the model's chat template refused the messages: {error.Message}", error);
        }
    }

    /// <summary>Null where the template does not know tools: it leaves them out without a word, or refuses the roles of calls and results.</summary>
    private static string? Shown(ChatTemplate template, ChatTemplateInput plain, IReadOnlyList<ToolDefinition> tools)
    {
        try
        {
            var shown = template.Render(plain with { Tools = ToolDefinition.ToJson(tools) });
            return shown == template.Render(plain) ? null : shown;
        }
        catch (ChatTemplateException) when (ChatMessages.MentionTools(plain.Messages))
        {
            return null;
        }
    }

    private static ITokenConstraintSource? Constrain(LanguageModelParts model, ChatPromptInput input, IReadOnlyList<ToolDefinition> tools, out bool expectsCall)
    {
        expectsCall = false;
        var part = "response_format";
        try
        {
            if (input.ToolChoice.Kind is ToolChoiceKind.Required or ToolChoiceKind.Named)
            {
                part = "tools";
                expectsCall = true;
                var callable = input.ToolChoice.Name is { } name ? tools.Where(tool => tool.Name == name).ToArray() : tools;
                return ToolChoiceSchema.Compile(callable, input.AllowsSeveralCalls, model.Tokenizer);
            }

            if (input.Format.Schema is not { } schema) return null;
            if (tools.Count == 0) return JsonSchemaConstraint.Compile(schema, model.Tokenizer);
            // The answer is to be JSON, and the model may call instead: either is allowed, both as bare JSON.
            expectsCall = true;
            return ToolChoiceSchema.CompileOr(schema, tools, model.Tokenizer);
        }
        catch (JsonSchemaException error)
        {
            throw new ChatPromptException(part, error.Message, error);
        }
    }
}

/// <summary>A chat that cannot be asked. The message is fit for remote callers.</summary>
public sealed class ChatPromptException : Exception
{
    /// <param name="parameter">Which part of the input, for example <c>messages[2].role</c>, <c>tools</c>, <c>response_format</c>.</param>
    /// <param name="message">A sentence that says what is wrong.</param>
    public ChatPromptException(string parameter, string message, Exception? innerException = null) : base(message, innerException) => Parameter = parameter;

    public ChatPromptException(string message) : base(message) { }

    public ChatPromptException() { }

    public ChatPromptException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>Which part of the input.</summary>
    public string Parameter { get; } = "messages";
}
