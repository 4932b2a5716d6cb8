using System.Text;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>Text of a file inside a message: bounded and on one line, whatever the file holds.</summary>
internal static class Quoted
{
    private const int Longest = 80;

    public static string Of(string text)
    {
        var kept = new StringBuilder("'");
        foreach (var letter in text.AsSpan(0, Math.Min(text.Length, Longest)))
            kept.Append(char.IsControl(letter) || char.IsSurrogate(letter) ? '?' : letter);
        if (text.Length > Longest) kept.Append('…');
        return kept.Append('\'').ToString();
    }
}
