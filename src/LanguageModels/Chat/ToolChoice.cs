using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Chat;

public enum ToolChoiceKind
{
    /// <summary>The model calls or answers.</summary>
    Auto,

    /// <summary>No calls; the model is not told of the tools.</summary>
    None,

    /// <summary>The answer is a call of one of the tools.</summary>
    Required,

    /// <summary>The answer is a call of the named tool.</summary>
    Named,
}

/// <summary>Whether and which tool an answer is to call.</summary>
/// <param name="Name">Only of <see cref="ToolChoiceKind.Named"/>.</param>
public sealed record ToolChoice(ToolChoiceKind Kind, string? Name = null)
{
    public static ToolChoice Auto { get; } = new(ToolChoiceKind.Auto);

    public static ToolChoice None { get; } = new(ToolChoiceKind.None);

    public static ToolChoice Required { get; } = new(ToolChoiceKind.Required);

    public static ToolChoice Of(string name) => new(ToolChoiceKind.Named, name);

    /// <summary>From OpenAI's <c>tool_choice</c>.</summary>
    /// <exception cref="ChatPromptException">Not a choice.</exception>
    public static ToolChoice Parse(JsonElement choice)
    {
        if (choice.ValueKind == JsonValueKind.Null) return Auto;
        if (choice.ValueKind == JsonValueKind.String)
        {
            return choice.GetString() switch
            {
                "auto" => Auto,
                "none" => None,
                "required" => Required,
                _ => throw Unknown(),
            };
        }

        if (choice.ValueKind == JsonValueKind.Object
            && choice.TryGetProperty("type", out var type) && type.ValueEquals("function"u8)
            && choice.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
            && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String)
            return Of(name.GetString()!);
        throw Unknown();
    }

    private static ChatPromptException Unknown() =>
        new("tool_choice", "tool_choice is \"auto\", \"none\", \"required\" or {\"type\":\"function\",\"function\":{\"name\":…}}");
}
