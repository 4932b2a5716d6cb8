namespace OpenGradient.Engine.LanguageModels.Tokenization.Normalization;

/// <summary>A step that rewrites text before it is divided. Safe for concurrent calls.</summary>
internal interface INormalizer
{
    string Normalize(string text);
}
