using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>Whether tokens can be given to a model.</summary>
internal static class TokenCheck
{
    /// <param name="most">Most tokens: one less than the context where one is to follow.</param>
    public static GenerationFailure? Error(ReadOnlySpan<int> tokens, TokenModelInfo info, int most)
    {
        if (tokens.IsEmpty) return new GenerationFailure(GenerationError.InvalidPrompt, "the prompt is empty");
        if (tokens.Length > most) return new GenerationFailure(GenerationError.ContextExceeded, $"the prompt has {tokens.Length} tokens; the model's context is {info.ContextLength}");
        foreach (var token in tokens)
            if (token < 0 || token >= info.VocabularySize) return new GenerationFailure(GenerationError.InvalidPrompt, $"the prompt has token {token}; the vocabulary has {info.VocabularySize}");
        return null;
    }
}
