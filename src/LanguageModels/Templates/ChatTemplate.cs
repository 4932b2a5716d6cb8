using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Templates;

/// <summary>A chat template: messages to prompt text, in the subset of Jinja that published templates use. Safe for concurrent calls.</summary>
public sealed class ChatTemplate
{
    /// <exception cref="ChatTemplateException">Not a template; the message has the line.</exception>
    public static ChatTemplate Parse(string source) => throw new NotImplementedException();

    /// <exception cref="ChatTemplateException">The template raised, or did more work than is allowed.</exception>
    public string Render(ChatTemplateInput input) => throw new NotImplementedException();
}

/// <summary>What a template sees.</summary>
public sealed record ChatTemplateInput
{
    /// <summary>An array of objects with <c>role</c> and <c>content</c>.</summary>
    public required JsonElement Messages { get; init; }

    /// <summary>An array of tool definitions, or null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Whether the prompt is to end where the assistant's answer begins.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    public string BosToken { get; init; } = "";

    public string EosToken { get; init; } = "";

    /// <summary>Further variables, for example <c>enable_thinking</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = System.Collections.Frozen.FrozenDictionary<string, JsonElement>.Empty;

    /// <summary>What <c>strftime_now</c> formats.</summary>
    public DateTimeOffset Now { get; init; }
}

/// <summary>A template, or what it was asked to render, cannot be used.</summary>
public sealed class ChatTemplateException : Exception
{
    public ChatTemplateException(string message) : base(message) { }

    public ChatTemplateException() { }

    public ChatTemplateException(string message, Exception innerException) : base(message, innerException) { }
}
