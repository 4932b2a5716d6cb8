using System.Globalization;
using System.Text;
using OpenGradient.Engine.LanguageModels.Tokenization.Normalization;
using OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Decoding;

internal sealed class ReplaceStep(Replacement replacement) : IDecodeStep
{
    public void Apply(ref TokenForm token) => token.Text = replacement.Normalize(token.Text!);
}

/// <summary>Visible spaces become spaces; those of the first token go, where encoding had put one there.</summary>
internal sealed class MetaspaceStep(string replacement, bool prepended) : IDecodeStep
{
    public void Apply(ref TokenForm token) => token.Text = token.Text!.Replace(replacement, token.First && prepended ? "" : " ");
}

internal sealed class WordPieceStep(string prefix, bool cleanUp) : IDecodeStep
{
    private static readonly (string Before, string After)[] Cleaning =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    public void Apply(ref TokenForm token)
    {
        var text = token.Text!;
        if (!token.First) text = prefix.Length > 0 && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : " " + text;
        if (cleanUp)
            foreach (var (before, after) in Cleaning) text = text.Replace(before, after);
        token.Text = text;
    }
}

/// <summary>The mark of a word's end becomes a space, at the end of the text nothing.</summary>
internal sealed class WordEndStep(string suffix) : IDecodeStep
{
    public void Apply(ref TokenForm token) => token.Text = suffix.Length == 0 ? token.Text : token.Text!.Replace(suffix, token.Last ? "" : " ");
}

/// <summary>Tokens joined by spaces: what is done where a file names no decoder.</summary>
internal sealed class SpacesStep : IDecodeStep
{
    public void Apply(ref TokenForm token) => token.Text = token.First ? token.Text : " " + token.Text;
}

/// <summary>Takes up to so many of a letter from either end of each token.</summary>
internal sealed class StripStep(char letter, int start, int stop) : IDecodeStep
{
    public void Apply(ref TokenForm token)
    {
        var text = token.Text.AsSpan();
        for (var count = 0; count < start && text.StartsWith([letter]); count++) text = text[1..];
        for (var count = 0; count < stop && text.EndsWith([letter]); count++) text = text[..^1];
        token.Text = text.ToString();
    }
}

/// <summary>Tokens like <c>&lt;0xE2&gt;</c> are bytes.</summary>
internal sealed class ByteFallbackStep : IDecodeStep
{
    public void Apply(ref TokenForm token)
    {
        if (token.Text is not { Length: 6 } text || !text.StartsWith("<0x", StringComparison.Ordinal) || text[5] != '>') return;
        if (!byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return;
        (token.Text, token.Bytes) = (null, [value]);
    }
}

/// <summary>Each letter is a byte; a token with any other letter stands for itself.</summary>
internal sealed class ByteLevelStep : IDecodeStep
{
    public void Apply(ref TokenForm token)
    {
        var bytes = new byte[token.Text!.Length];
        for (var at = 0; at < bytes.Length; at++)
            if (!ByteAlphabet.TryByteOf(token.Text[at], out bytes[at])) return;
        (token.Text, token.Bytes) = (null, bytes);
    }
}

/// <summary>The steps of a file's decoder, in order, and what is left to do on the whole text.</summary>
/// <param name="Steps">Applied while a token is text; the first that makes it bytes ends them.</param>
/// <param name="Strips">Applied to the whole text.</param>
/// <param name="LooksAtLast">Whether the last token differs, so that one has to be held back.</param>
internal sealed record DecodePlan(IReadOnlyList<IDecodeStep> Steps, IReadOnlyList<TextStrip> Strips, bool LooksAtLast)
{
    public byte[] BytesOf(string text, bool first, bool last)
    {
        var token = new TokenForm { Text = text, First = first, Last = last };
        foreach (var step in Steps)
        {
            step.Apply(ref token);
            if (token.Bytes is { } bytes) return bytes;
        }

        return Encoding.UTF8.GetBytes(token.Text!);
    }
}

/// <summary>Up to so many of a letter, from the text's beginning and its end.</summary>
internal sealed record TextStrip(char Letter, int Start, int Stop);
