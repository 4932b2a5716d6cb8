namespace OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

/// <summary>A part of a text that the model sees alone.</summary>
/// <param name="AtStart">Whether nothing of the caller's text lies before it.</param>
internal readonly record struct Piece(ReadOnlyMemory<char> Text, bool AtStart)
{
    public Piece Slice(int start, int end) => new(Text[start..end], AtStart && start == 0);
}

/// <summary>A step that divides pieces, or rewrites them. Safe for concurrent calls.</summary>
internal interface IPreTokenizer
{
    /// <summary>Adds to <paramref name="result"/> what becomes of the pieces; none of it is empty.</summary>
    void Split(IReadOnlyList<Piece> pieces, List<Piece> result);
}
