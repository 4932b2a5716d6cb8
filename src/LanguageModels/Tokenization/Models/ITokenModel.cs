namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>Turns a piece of text into token ids. Safe for concurrent calls.</summary>
internal interface ITokenModel
{
    void Encode(ReadOnlySpan<char> piece, List<int> tokens);
}
