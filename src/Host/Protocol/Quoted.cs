namespace OpenGradient.Engine.Host.Protocol;

/// <summary>A caller's text as an error message shows it.</summary>
internal static class Quoted
{
    // A name can be as long as a body: whoever sent it knows it from its beginning.
    private const int MaxLength = 64;

    /// <summary>The text in quotation marks; its beginning, cut between characters, when it is long.</summary>
    public static string Text(string text)
    {
        if (text.Length <= MaxLength) return $"'{text}'";
        return $"'{text[..(char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength)]}…'";
    }
}
