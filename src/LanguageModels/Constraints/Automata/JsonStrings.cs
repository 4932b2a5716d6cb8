using System.Text;

namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>
/// JSON strings as byte automata, quotes included: well-formed UTF-8 (Unicode 15, table 3-7) and well-formed escapes.
/// State <see cref="Boundary"/> of the two free ones stands between characters.
/// </summary>
internal static class JsonStrings
{
    public const int Boundary = 1;

    /// <summary>Every string, in every spelling; an escaped surrogate has its pair.</summary>
    public static TableAutomaton Free { get; } = Build(anySpelling: true);

    /// <summary>Strings in one spelling only: characters as they are, and the short escapes where they must be. Other control characters have none.</summary>
    public static TableAutomaton Canonical { get; } = Build(anySpelling: false);

    /// <summary>Code points that the short escapes spell, and their letters.</summary>
    private static readonly (int CodePoint, char Letter)[] Escapes = [('"', '"'), ('\\', '\\'), ('\b', 'b'), ('\f', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];

    /// <summary>A string's canonical spelling. Control characters without a short escape are <c>\u00xx</c>.</summary>
    public static byte[] Spell(string text)
    {
        var spelled = new StringBuilder("\"");
        foreach (var letter in text)
        {
            var escape = Array.FindIndex(Escapes, pair => pair.CodePoint == letter);
            if (escape >= 0) spelled.Append('\\').Append(Escapes[escape].Letter);
            else if (letter < ' ') spelled.Append("\\u").Append(((int)letter).ToString("x4"));
            else spelled.Append(letter);
        }

        return Encoding.UTF8.GetBytes(spelled.Append('"').ToString());
    }

    /// <summary>The strings that an automaton accepts, in canonical spelling.</summary>
    /// <param name="dfa">Not empty.</param>
    /// <exception cref="PatternException">It would be too large.</exception>
    public static TableAutomaton Of(CodePointDfa dfa)
    {
        var builder = new TableAutomaton.Builder();
        var start = builder.Add();
        var states = new int[dfa.Count];
        for (var i = 0; i < states.Length; i++) states[i] = builder.Add();
        var end = builder.Add(accepts: true);
        builder.On(start, '"', states[0]);
        var lowering = new Utf8Lowering(builder);
        for (var i = 0; i < states.Length; i++)
        {
            if (dfa.Accepts(i)) builder.On(states[i], '"', end);
            var escape = -1;
            foreach (var (codePoint, letter) in Escapes)
            {
                var to = dfa.Next(i, codePoint);
                if (to < 0) continue;
                if (escape < 0) builder.On(states[i], '\\', escape = builder.Add());
                builder.On(escape, letter, states[to]);
            }

            lowering.Add(states[i], dfa.Moves(i), states);
        }

        return builder.Build();
    }

    /// <summary>Texts without quotes or escapes, for example numbers.</summary>
    /// <param name="dfa">Not empty, ASCII only.</param>
    public static TableAutomaton OfAscii(CodePointDfa dfa)
    {
        var builder = new TableAutomaton.Builder();
        for (var i = 0; i < dfa.Count; i++) builder.Add(dfa.Accepts(i));
        for (var i = 0; i < dfa.Count; i++)
            foreach (var (low, high, to) in dfa.Moves(i)) builder.On(i, low, high, to);
        return builder.Build();
    }

    private static TableAutomaton Build(bool anySpelling)
    {
        var builder = new TableAutomaton.Builder();
        var start = builder.Add();
        var boundary = builder.Add();
        var end = builder.Add(accepts: true);
        builder.On(start, '"', boundary).On(boundary, '"', end);
        builder.On(boundary, ' ', '!', boundary).On(boundary, '#', '[', boundary).On(boundary, ']', 0x7F, boundary);

        var (one, two, three) = (builder.Add(), builder.Add(), builder.Add());
        builder.On(one, 0x80, 0xBF, boundary).On(two, 0x80, 0xBF, one).On(three, 0x80, 0xBF, two);
        var (afterE0, afterEd, afterF0, afterF4) = (builder.Add(), builder.Add(), builder.Add(), builder.Add());
        builder.On(boundary, 0xC2, 0xDF, one)
            .On(boundary, 0xE0, 0xE0, afterE0).On(boundary, 0xE1, 0xEC, two).On(boundary, 0xED, 0xED, afterEd).On(boundary, 0xEE, 0xEF, two)
            .On(boundary, 0xF0, 0xF0, afterF0).On(boundary, 0xF1, 0xF3, three).On(boundary, 0xF4, 0xF4, afterF4);
        // Second bytes that would be overlong, a surrogate, or beyond the last code point are left out.
        builder.On(afterE0, 0xA0, 0xBF, one).On(afterEd, 0x80, 0x9F, one).On(afterF0, 0x90, 0xBF, two).On(afterF4, 0x80, 0x8F, two);

        var escape = builder.Add();
        builder.On(boundary, '\\', escape);
        foreach (var letter in "\"\\bfnrt") builder.On(escape, letter, boundary);
        if (!anySpelling) return builder.Build();

        builder.On(escape, '/', boundary);
        var hex = new int[5];
        for (var i = 1; i <= 4; i++) hex[i] = builder.Add();
        for (var i = 2; i <= 4; i++) Hex(builder, hex[i], 0, 15, hex[i - 1]);
        Hex(builder, hex[1], 0, 15, boundary);
        var (first, afterD) = (builder.Add(), builder.Add());
        builder.On(escape, 'u', first);
        Hex(builder, first, 0, 12, hex[3]);
        Hex(builder, first, 14, 15, hex[3]);
        Hex(builder, first, 13, 13, afterD);
        Hex(builder, afterD, 0, 7, hex[2]);
        // A high surrogate, two more digits, and then its low half.
        var (high, higher, pair, pairU, low, lower) = (builder.Add(), builder.Add(), builder.Add(), builder.Add(), builder.Add(), builder.Add());
        Hex(builder, afterD, 8, 11, high);
        Hex(builder, high, 0, 15, higher);
        Hex(builder, higher, 0, 15, pair);
        builder.On(pair, '\\', pairU).On(pairU, 'u', low);
        Hex(builder, low, 13, 13, lower);
        Hex(builder, lower, 12, 15, hex[2]);
        return builder.Build();
    }

    private static void Hex(TableAutomaton.Builder builder, int from, int low, int high, int to)
    {
        if (low <= 9) builder.On(from, '0' + low, '0' + Math.Min(high, 9), to);
        if (high < 10) return;
        var first = Math.Max(low, 10) - 10;
        builder.On(from, 'a' + first, 'a' + high - 10, to).On(from, 'A' + first, 'A' + high - 10, to);
    }
}
