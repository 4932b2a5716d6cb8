namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>
/// A compiled pattern. Matching backtracks as Oniguruma does, so that the first alternative that fits wins, over whole
/// code points, in bounded steps and memory. Safe for concurrent calls.
/// </summary>
internal sealed class TextPattern
{
    // Published patterns take some tens of steps a letter; what takes hundreds on a long text is a trap.
    private const long StepsAtLeast = 1_000_000;
    private const long StepsPerLetter = 256;

    private readonly PatternInstruction[] _code;
    private readonly string _source;

    private TextPattern(string source, PatternInstruction[] code) => (_source, _code) = (source, code);

    /// <exception cref="TokenizerException">Not understood; says where and what.</exception>
    public static TextPattern Regex(string source) => new(source, PatternProgram.Compile(PatternParser.Parse(source)));

    /// <summary>The pattern that matches this text as it stands.</summary>
    public static TextPattern Literal(string text) =>
        new(text, PatternProgram.Compile(new SequenceNode([.. CodePoints.Of(text).Select(point => new SetNode(CodePointSet.Of(point)))])));

    /// <summary>Matches from the left, one after the other, that do not overlap.</summary>
    /// <exception cref="TokenizerException">It would take too many steps.</exception>
    public List<TextMatch> Matches(ReadOnlySpan<char> text)
    {
        var found = new List<TextMatch>();
        using var matcher = new PatternMatcher(_code, text, _source, StepsAtLeast + StepsPerLetter * text.Length);
        for (var at = 0; at <= text.Length;)
        {
            var end = matcher.MatchAt(at);
            if (end >= 0) found.Add(new TextMatch(at, end));
            if (end > at)
            {
                at = end;
                continue;
            }

            if (at == text.Length) break;
            CodePoints.At(text, at, out var width);
            at += width;
        }

        return found;
    }
}

/// <summary>A match, in code units; the end is the first one after it.</summary>
internal readonly record struct TextMatch(int Start, int End);
