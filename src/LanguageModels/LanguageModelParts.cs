using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels;

/// <summary>What a loaded model folder gives. Whoever receives it owns the runtime.</summary>
public sealed record LanguageModelParts
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required ITokenRuntime Runtime { get; init; }

    public required Tokenizer Tokenizer { get; init; }

    /// <summary>Null for a model that has none: it completes, and does not chat.</summary>
    public ChatTemplate? Template { get; init; }

    /// <summary>Tokens that end an answer.</summary>
    public required IReadOnlyList<int> EndTokens { get; init; }

    /// <summary>Texts of the beginning and end tokens, as templates see them; empty for none.</summary>
    public string BosToken { get; init; } = "";

    public string EosToken { get; init; } = "";
}
