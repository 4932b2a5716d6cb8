namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>Parses what stands in brackets: ranges, escapes, nested classes, intersections and POSIX names.</summary>
internal sealed class ClassParser(PatternScanner scanner, bool ignoreCase)
{
    private const int MaxDepth = 32;

    private int _depth;

    /// <summary>The class whose opening bracket is taken already.</summary>
    public CodePointSet Parse()
    {
        if (++_depth > MaxDepth) throw scanner.Refuse($"classes nested more than {MaxDepth} deep");
        var negative = scanner.Take('^');
        CodePointSet? all = null;
        do
        {
            var operand = Operand();
            all = all is { } left ? new CodePointSet(point => left.Contains(point) && operand.Contains(point)) : operand;
        }
        while (scanner.Take("&&"));
        if (!scanner.Take(']')) throw scanner.Refuse("a class without its end");
        _depth--;

        var set = ignoreCase && _depth == 0 ? Folded(all) : all;
        return negative ? set.Not() : set;
    }

    private CodePointSet Operand()
    {
        var ranges = new List<(int First, int Last)>();
        var sets = new List<CodePointSet>();
        // A bracket that closes nothing yet is a letter of the class.
        if (scanner.Peek() == ']') ranges.Add((scanner.Next(), ']'));
        while (scanner.Peek() != ']' && !(scanner.Peek() == '&' && scanner.Peek(1) == '&'))
        {
            if (Item() is { } set)
            {
                sets.Add(set);
                continue;
            }

            var first = _point;
            if (scanner.Peek() != '-' || scanner.Peek(1) is ']' or -1 || (scanner.Peek(1) == '&' && scanner.Peek(2) == '&'))
            {
                ranges.Add((first, first));
                continue;
            }

            scanner.Next();
            if (Item() is not null) throw scanner.Refuse("a range that ends in a class");
            if (_point < first) throw scanner.Refuse("a range whose end is before its beginning");
            ranges.Add((first, _point));
        }

        if (ranges.Count == 0 && sets.Count == 0) throw scanner.Refuse("an empty class");
        return new CodePointSet(point => ranges.Exists(range => point >= range.First && point <= range.Last) || sets.Exists(set => set.Contains(point)));
    }

    private int _point;

    // A set, or null with a single code point in _point.
    private CodePointSet? Item()
    {
        if (scanner.AtEnd) throw scanner.Refuse("a class without its end");
        if (scanner.Take("[:")) return Posix();
        if (scanner.Peek() == '[' && scanner.Peek(1) is '.' or '=') throw scanner.Refuse("collating elements");
        if (scanner.Take('[')) return Parse();
        if (scanner.Take('\\'))
        {
            if (scanner.Take('b')) _point = '\b';
            else
            {
                var (set, point) = PatternEscapes.Read(scanner, inClass: true);
                if (set is not null) return set;
                _point = point;
            }

            return null;
        }

        _point = scanner.Next();
        return null;
    }

    private CodePointSet Posix()
    {
        var negative = scanner.Take('^');
        var name = scanner.Until(':');
        if (!scanner.Take(']')) throw scanner.Refuse($"the POSIX class '{name}'");
        CodePointSet? set = name switch
        {
            "alpha" or "alnum" or "digit" or "lower" or "upper" or "space" or "blank" or "cntrl" or "word" or "xdigit" or "ascii" => UnicodeSets.Find(name),
            "punct" => new CodePointSet(point => UnicodeSets.Punctuation.Contains(point) || UnicodeSets.Find("s")!.Contains(point)),
            _ => null,
        };
        if (set is null) throw scanner.Refuse($"the POSIX class '{name}'");
        return negative ? set.Not() : set;
    }

    private static CodePointSet Folded(CodePointSet set) => new(point =>
    {
        foreach (var variant in CaseFolding.Variants(point))
            if (set.Contains(variant)) return true;
        return false;
    });
}
