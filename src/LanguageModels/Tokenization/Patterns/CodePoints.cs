namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>Code points in UTF-16 text that has no lone surrogates.</summary>
internal static class CodePoints
{
    public const int Highest = 0x10FFFF;

    public static int At(ReadOnlySpan<char> text, int index, out int width)
    {
        var first = text[index];
        if (!char.IsHighSurrogate(first) || index + 1 >= text.Length)
        {
            width = 1;
            return first;
        }

        width = 2;
        return char.ConvertToUtf32(first, text[index + 1]);
    }

    /// <summary>How many code units the code point before <paramref name="index"/> takes; the index is above zero.</summary>
    public static int WidthBefore(ReadOnlySpan<char> text, int index) =>
        index >= 2 && char.IsLowSurrogate(text[index - 1]) && char.IsHighSurrogate(text[index - 2]) ? 2 : 1;

    /// <summary>The text with U+FFFD for each lone surrogate, as UTF-8 would have it.</summary>
    public static string WellFormed(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at])) continue;
            if (char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1])) at++;
            else return Replaced(text, at);
        }

        return text;
    }

    public static int[] Of(string text)
    {
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) points.Add(rune.Value);
        return [.. points];
    }

    private static string Replaced(string text, int firstLone)
    {
        var letters = text.ToCharArray();
        for (var at = firstLone; at < letters.Length; at++)
        {
            if (!char.IsSurrogate(letters[at])) continue;
            if (char.IsHighSurrogate(letters[at]) && at + 1 < letters.Length && char.IsLowSurrogate(letters[at + 1])) at++;
            else letters[at] = '\uFFFD';
        }

        return new string(letters);
    }
}
