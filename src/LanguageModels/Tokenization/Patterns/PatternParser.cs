namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>
/// Parses the patterns of tokenizer files: Oniguruma's syntax as Ruby has it, without captures' values. What is left out
/// (back references, conditions, absent groups, <c>\G \K \X</c>) is refused.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxDepth = 64;
    private const int MaxLength = 16_384;

    private readonly PatternScanner _scanner;
    private bool _ignoreCase;
    private bool _dotAll;
    private int _depth;

    private PatternParser(string pattern) => _scanner = new PatternScanner(pattern);

    public static PatternNode Parse(string pattern)
    {
        if (pattern.Length > MaxLength) throw new TokenizerException($"a pattern has {pattern.Length} letters, more than {MaxLength}");
        var parser = new PatternParser(pattern);
        var node = parser.Choice();
        return parser._scanner.AtEnd ? node : throw parser._scanner.Refuse("a parenthesis that closes nothing");
    }

    private PatternNode Choice()
    {
        if (++_depth > MaxDepth) throw _scanner.Refuse($"groups nested more than {MaxDepth} deep");
        // Options inside of a group end with it.
        var (ignoreCase, dotAll) = (_ignoreCase, _dotAll);
        var options = new List<PatternNode> { Sequence() };
        while (_scanner.Take('|')) options.Add(Sequence());
        (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
        _depth--;
        return options.Count == 1 ? options[0] : new ChoiceNode(options);
    }

    private PatternNode Sequence()
    {
        var parts = new List<PatternNode>();
        while (!_scanner.AtEnd && _scanner.Peek() is not ('|' or ')'))
            if (Atom() is { } atom) parts.Add(Repeated(atom));
        return parts.Count == 1 ? parts[0] : new SequenceNode(parts);
    }

    private PatternNode? Atom()
    {
        var point = _scanner.Next();
        return point switch
        {
            '(' => Group(),
            '[' => new SetNode(new ClassParser(_scanner, _ignoreCase).Parse()),
            '.' => new SetNode(_dotAll ? UnicodeSets.All : UnicodeSets.NotNewline),
            '^' => new AnchorNode(AnchorKind.LineStart),
            '$' => new AnchorNode(AnchorKind.LineEnd),
            '\\' => Escape(),
            '*' or '+' or '?' => throw _scanner.Refuse("a repetition of nothing"),
            _ => Literal(point),
        };
    }

    private PatternNode Escape()
    {
        AnchorKind? anchor = _scanner.Peek() switch
        {
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.LastLineEnd,
            'b' => AnchorKind.WordBoundary,
            'B' => AnchorKind.NoWordBoundary,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _scanner.Next();
            return new AnchorNode(kind);
        }

        if (_scanner.Take('R')) return LineBreak();
        var (set, point) = PatternEscapes.Read(_scanner, inClass: false);
        return set is null ? Literal(point) : new SetNode(set);
    }

    private static AtomicNode LineBreak()
    {
        var pair = new SequenceNode([new SetNode(CodePointSet.Of('\r')), new SetNode(CodePointSet.Of('\n'))]);
        var single = new SetNode(new CodePointSet(point => point is (>= '\n' and <= '\r') or 0x85 or 0x2028 or 0x2029));
        return new AtomicNode(new ChoiceNode([pair, single]));
    }

    private SetNode Literal(int point)
    {
        if (!_ignoreCase) return new SetNode(CodePointSet.Of(point));
        var variants = CaseFolding.Variants(point).ToArray();
        return new SetNode(new CodePointSet(each => variants.Contains(each)));
    }

    private PatternNode? Group()
    {
        if (!_scanner.Take('?')) return Closed(Choice());
        if (_scanner.Take(':')) return Closed(Choice());
        if (_scanner.Take('>')) return new AtomicNode(Closed(Choice()));
        if (_scanner.Take('=')) return new LookNode(Closed(Choice()), Ahead: true, Negative: false);
        if (_scanner.Take('!')) return new LookNode(Closed(Choice()), Ahead: true, Negative: true);
        if (_scanner.Take("<=")) return Behind(negative: false);
        if (_scanner.Take("<!")) return Behind(negative: true);
        if (_scanner.Take('#'))
        {
            _scanner.Until(')');
            return null;
        }

        if (_scanner.Take('<'))
        {
            _scanner.Until('>');
            return Closed(Choice());
        }

        return Options();
    }

    // (?i) holds to the end of the group around it, (?i:...) for its own.
    private PatternNode? Options()
    {
        var (ignoreCase, dotAll, on) = (_ignoreCase, _dotAll, true);
        while (_scanner.Peek() is not (':' or ')'))
        {
            switch (_scanner.Next())
            {
                case 'i': ignoreCase = on; break;
                case 'm': dotAll = on; break;
                case '-': on = false; break;
                case var letter: throw _scanner.Refuse($"the group '(?{char.ConvertFromUtf32(letter)}'");
            }
        }

        var before = (_ignoreCase, _dotAll);
        (_ignoreCase, _dotAll) = (ignoreCase, dotAll);
        if (_scanner.Next() == ')')
        {
            // As Ruby has it, what follows belongs to a group of its own, alternatives included.
            return _scanner.AtEnd || _scanner.Peek() == ')' ? null : Choice();
        }

        var body = Closed(Choice());
        (_ignoreCase, _dotAll) = before;
        return body;
    }

    private LookNode Behind(bool negative)
    {
        var body = Closed(Choice());
        var options = body is ChoiceNode choice ? choice.Options : [body];
        return options.All(option => option.Fixed is not null) ? new LookNode(body, Ahead: false, negative) : throw _scanner.Refuse("a look-behind without a fixed length");
    }

    private PatternNode Closed(PatternNode body) => _scanner.Take(')') ? body : throw _scanner.Refuse("a group without its end");

    private PatternNode Repeated(PatternNode body)
    {
        while (true)
        {
            var start = _scanner.Position;
            if (!Bounds(out var fewest, out var most, out var interval)) return body;
            if (body is LookNode or AnchorNode) throw _scanner.Refuse("a repeated condition");
            var kind = RepeatKind.Greedy;
            if (_scanner.Take('?')) kind = RepeatKind.Lazy;
            // After an interval, Ruby reads a plus as one more repetition, not as possession.
            else if (!interval && _scanner.Take('+')) kind = RepeatKind.Possessive;
            if (body.Least == 0 && most is < 0 or > 1) throw _scanner.Refuse($"a repetition, begun at {start}, of what may be empty");
            body = new RepeatNode(body, fewest, most, kind);
        }
    }

    private bool Bounds(out int fewest, out int most, out bool interval)
    {
        (fewest, most, interval) = (0, -1, false);
        if (_scanner.Take('*')) return true;
        if (_scanner.Take('+'))
        {
            fewest = 1;
            return true;
        }

        if (_scanner.Take('?'))
        {
            most = 1;
            return true;
        }

        var start = _scanner.Position;
        if (!_scanner.Take('{')) return false;
        interval = true;
        fewest = _scanner.Number();
        most = fewest;
        if (_scanner.Take(',')) most = _scanner.Number();
        else if (fewest < 0) most = -2;
        if (most == -2 || (fewest < 0 && most < 0) || !_scanner.Take('}'))
        {
            // Braces that are no interval are letters; the next atom takes them.
            _scanner.Back(start);
            return false;
        }

        fewest = Math.Max(0, fewest);
        if (most >= 0 && most < fewest) throw _scanner.Refuse("an interval whose end is before its beginning");
        return true;
    }
}
