using System.Text;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;
using OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Normalization;

internal sealed class NormalizerSequence(IReadOnlyList<INormalizer> steps) : INormalizer
{
    public string Normalize(string text)
    {
        foreach (var step in steps) text = step.Normalize(text);
        return text;
    }
}

/// <summary>Lower case letter by letter: a sigma at a word's end is like any other.</summary>
internal sealed class Lowercase : INormalizer
{
    public string Normalize(string text)
    {
        var lower = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var rune in text.EnumerateRunes())
        {
            // The one letter whose lower case is two code points.
            if (rune.Value == 0x130) lower.Append("i\u0307");
            else lower.Append(units[..Rune.ToLowerInvariant(rune).EncodeToUtf16(units)]);
        }

        return lower.ToString();
    }
}

/// <summary>Takes out the code points of a set.</summary>
internal sealed class Removal(CodePointSet removed) : INormalizer
{
    public string Normalize(string text)
    {
        var kept = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var keep = !removed.Contains(CodePoints.At(text, at, out var width));
            if (keep) kept.Append(text, at, width);
            at += width;
        }

        return kept.ToString();
    }
}

/// <summary>What SentencePiece's <c>nmt</c> rules do besides normalization: control characters go, odd spaces become spaces.</summary>
internal sealed class NmtCleaning : INormalizer
{
    public string Normalize(string text)
    {
        var cleaned = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (letter is (>= '\u0001' and <= '\u0008') or '\u000B' or (>= '\u000E' and <= '\u001F') or '\u007F' or '\u008F' or '\u009F') continue;
            var space = letter is '\t' or '\n' or '\f' or '\r' or '\u1680' or (>= '\u200B' and <= '\u200F') or '\u2028' or '\u2029' or '\u2581' or '\uFEFF' or '\uFFFD';
            cleaned.Append(space ? ' ' : letter);
        }

        return cleaned.ToString();
    }
}

internal sealed class Prefix(string prefix) : INormalizer
{
    public string Normalize(string text) => text.Length == 0 ? text : prefix + text;
}

internal sealed class EdgeSpace(bool left, bool right) : INormalizer
{
    public string Normalize(string text) => (left, right) switch
    {
        (true, true) => text.Trim(),
        (true, false) => text.TrimStart(),
        (false, true) => text.TrimEnd(),
        _ => text,
    };
}

/// <summary>Puts a text in place of every match.</summary>
internal sealed class Replacement(TextPattern? pattern, string content) : INormalizer
{
    public string Normalize(string text)
    {
        if (pattern is null) return text;
        var matches = pattern.Matches(text);
        if (matches.Count == 0) return text;
        var replaced = new StringBuilder(text.Length);
        var at = 0;
        foreach (var match in matches)
        {
            replaced.Append(text, at, match.Start - at).Append(content);
            at = match.End;
        }

        return replaced.Append(text, at, text.Length - at).ToString();
    }
}

/// <summary>Each byte of the text's UTF-8 as the letter that stands for it.</summary>
internal sealed class ByteLetters : INormalizer
{
    public string Normalize(string text)
    {
        var letters = new StringBuilder(text.Length);
        foreach (var each in Encoding.UTF8.GetBytes(text)) letters.Append(ByteAlphabet.LetterOf(each));
        return letters.ToString();
    }
}
