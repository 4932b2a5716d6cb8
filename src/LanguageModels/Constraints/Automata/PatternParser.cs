namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>
/// The regular part of ECMA-262 patterns: literals, classes, groups, alternatives, counts, and <c>^</c> and <c>$</c> at the ends of
/// an alternative. As in JSON Schema, what is not anchored may stand anywhere in the text.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxLength = 4096;
    private const int MaxDepth = 64;
    private const int MaxCount = 10_000;

    private static readonly Term Anything = Term.Repeat(new TermSet(CodePointSet.All), 0, null);
    private static readonly CodePointSet LineEnds = CodePointSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029));

    private readonly int[] _text;
    private int _at;
    private int _depth;

    private PatternParser(int[] text) => _text = text;

    /// <exception cref="PatternException">Not a pattern, or not a regular one.</exception>
    public static Term Parse(string pattern)
    {
        if (pattern.Length > MaxLength) throw new PatternException($"is longer than {MaxLength} characters");
        var parser = new PatternParser([.. pattern.EnumerateRunes().Select(rune => rune.Value)]);
        var term = parser.Alternatives(isTop: true);
        return parser._at == parser._text.Length ? term : throw parser.Wrong("has a ')' without '('");
    }

    private Term Alternatives(bool isTop)
    {
        if (++_depth > MaxDepth) throw Wrong($"nests more than {MaxDepth} groups");
        var parts = new List<Term>();
        do parts.Add(Alternative(isTop));
        while (Take('|'));
        _depth--;
        return parts.Count == 1 ? parts[0] : new TermChoice(parts);
    }

    private Term Alternative(bool isTop)
    {
        var startsAtStart = Take('^');
        var (endsAtEnd, parts) = (false, new List<Term>());
        while (_at < _text.Length && !Is('|') && !Is(')'))
        {
            if (endsAtEnd) throw Wrong("has '$' before the end of an alternative");
            if (Take('$'))
            {
                endsAtEnd = true;
                continue;
            }

            if (Is('^')) throw Wrong("has '^' after the start of an alternative");
            parts.Add(Counted(Atom()));
        }

        if (!isTop && (startsAtStart || endsAtEnd)) throw Wrong("has an anchor inside a group");
        var body = new TermSequence(parts);
        return isTop ? Term.Sequence(startsAtStart ? Term.Empty : Anything, body, endsAtEnd ? Term.Empty : Anything) : body;
    }

    private Term Atom()
    {
        var start = _at;
        switch (_text[_at++])
        {
            case '(': return Group();
            case '[': return new TermSet(Class());
            case '.': return new TermSet(LineEnds.Complement());
            case '\\': return new TermSet(Escape(isInClass: false));
            case '*' or '+' or '?':
                _at = start;
                throw Wrong("repeats nothing");
            default: return new TermSet(CodePointSet.Single(_text[start]));
        }
    }

    private Term Group()
    {
        if (Take('?'))
        {
            if (Take('<') && !Is('=') && !Is('!'))
            {
                while (_at < _text.Length && !Is('>')) _at++;
                if (!Take('>')) throw Wrong("has a group name without '>'");
            }
            else if (!Take(':'))
            {
                throw Wrong("has a lookaround, which is not regular");
            }
        }

        var inner = Alternatives(isTop: false);
        return Take(')') ? inner : throw Wrong("has a '(' without ')'");
    }

    private Term Counted(Term atom)
    {
        var (min, max) = (1, (int?)1);
        if (Take('*')) (min, max) = (0, null);
        else if (Take('+')) (min, max) = (1, null);
        else if (Take('?')) (min, max) = (0, 1);
        else if (!Braces(ref min, ref max)) return atom;
        // A lazy count chooses among the same texts.
        Take('?');
        if (Is('*') || Is('+') || Is('?')) throw Wrong("repeats a repetition");
        return Term.Repeat(atom, min, max);
    }

    private bool Braces(ref int min, ref int? max)
    {
        var start = _at;
        if (!Take('{')) return false;
        // Without a count in it, a brace is itself.
        if (Number() is not { } least)
        {
            _at = start;
            return false;
        }

        int? most = least;
        if (Take(',')) most = Number();
        if (!Take('}'))
        {
            _at = start;
            return false;
        }

        if (most < least) throw Wrong("has a count whose maximum is below its minimum");
        (min, max) = (least, most);
        return true;
    }

    private int? Number()
    {
        var start = _at;
        var value = 0;
        for (; _at < _text.Length && _text[_at] is >= '0' and <= '9'; _at++)
        {
            value = (value * 10) + _text[_at] - '0';
            if (value > MaxCount) throw Wrong($"counts beyond {MaxCount}");
        }

        return _at == start ? null : value;
    }

    private CodePointSet Class()
    {
        var isNegated = Take('^');
        var set = CodePointSet.Empty;
        while (!Is(']'))
        {
            var first = ClassPart();
            if (!Is('-') || _at + 1 >= _text.Length || _text[_at + 1] == ']')
            {
                set = set.Union(first);
                continue;
            }

            _at++;
            var last = ClassPart();
            if (Only(first) is not { } low || Only(last) is not { } high) throw Wrong("has a range that ends in a class");
            if (high < low) throw Wrong("has a range that ends before it starts");
            set = set.Union(CodePointSet.Of((low, high)));
        }

        _at++;
        return isNegated ? set.Complement() : set;
    }

    private CodePointSet ClassPart()
    {
        if (_at >= _text.Length) throw Wrong("has a '[' without ']'");
        var letter = _text[_at++];
        return letter == '\\' ? Escape(isInClass: true) : CodePointSet.Single(letter);
    }

    private static int? Only(CodePointSet set) => set.Ranges.Count == 1 && set.Ranges[0].Low == set.Ranges[0].High ? set.Ranges[0].Low : null;

    private CodePointSet Escape(bool isInClass)
    {
        if (_at >= _text.Length) throw Wrong("ends in a backslash");
        var letter = _text[_at++];
        switch (letter)
        {
            case 'd': return CodePointSet.Of(('0', '9'));
            case 'D': return CodePointSet.Of(('0', '9')).Complement();
            case 'w': return Word;
            case 'W': return Word.Complement();
            case 's': return Space;
            case 'S': return Space.Complement();
            case 't': return CodePointSet.Single('\t');
            case 'n': return CodePointSet.Single('\n');
            case 'v': return CodePointSet.Single('\v');
            case 'f': return CodePointSet.Single('\f');
            case 'r': return CodePointSet.Single('\r');
            case 'b' when isInClass: return CodePointSet.Single('\b');
            case 'x': return CodePointSet.Single(Hex(2));
            case 'u': return CodePointSet.Single(Unicode());
            case '0' when _at >= _text.Length || _text[_at] is < '0' or > '9': return CodePointSet.Single(0);
            case < 0x80 when !char.IsAsciiLetterOrDigit((char)letter): return CodePointSet.Single(letter);
            case < 0x80: throw Wrong($"has '\\{(char)letter}', which is not supported");
            default: return CodePointSet.Single(letter);
        }
    }

    private static readonly CodePointSet Word = CodePointSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    // ECMA-262's WhiteSpace and LineTerminator.
    private static readonly CodePointSet Space = CodePointSet.Of(
        ('\t', '\r'), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    private int Unicode()
    {
        if (!Take('{'))
        {
            var unit = Hex(4);
            if (unit is < 0xD800 or > 0xDBFF || _at + 1 >= _text.Length || _text[_at] != '\\' || _text[_at + 1] != 'u') return unit;
            _at += 2;
            var low = Hex(4);
            return low is >= 0xDC00 and <= 0xDFFF ? 0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00 : throw Wrong("has half a surrogate pair");
        }

        var value = 0;
        while (_at < _text.Length && !Is('}'))
        {
            value = (value * 16) + HexDigit();
            if (value > CodePointSet.Last) throw Wrong("names a code point that does not exist");
        }

        return Take('}') ? value : throw Wrong("has '\\u{' without '}'");
    }

    private int Hex(int digits)
    {
        var value = 0;
        for (var i = 0; i < digits; i++) value = (value * 16) + HexDigit();
        return value;
    }

    private int HexDigit()
    {
        if (_at >= _text.Length || _text[_at] >= 0x80 || !char.IsAsciiHexDigit((char)_text[_at])) throw Wrong("has an escape with too few hexadecimal digits");
        return Convert.ToInt32(((char)_text[_at++]).ToString(), 16);
    }

    private bool Is(int letter) => _at < _text.Length && _text[_at] == letter;

    private bool Take(int letter)
    {
        if (!Is(letter)) return false;
        _at++;
        return true;
    }

    private PatternException Wrong(string what) => new($"{what} (at character {_at})");
}
