using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Templates;

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
