namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>A nondeterministic automaton over code points, by Thompson's construction. It has one start and one end.</summary>
internal sealed class Nfa
{
    // Enough for every format and for {1,1000} of a class; nested counts of a hostile pattern end here.
    private const int MaxStates = 8192;

    private readonly List<List<int>> _jumps = [];
    private readonly List<(CodePointSet Set, int To)?> _moves = [];

    public Nfa(Term term)
    {
        Start = Add();
        End = Build(term, Start);
    }

    public int Start { get; }

    public int End { get; }

    public int Count => _jumps.Count;

    /// <summary>The one move of a state that reads a code point; null for states that only jump.</summary>
    public (CodePointSet Set, int To)? Move(int state) => _moves[state];

    public IReadOnlyList<int> Jumps(int state) => _jumps[state];

    private int Build(Term term, int from)
    {
        switch (term)
        {
            case TermSet set:
                var source = Add();
                var target = Add();
                _jumps[from].Add(source);
                _moves[source] = (set.Set, target);
                return target;
            case TermSequence sequence:
                foreach (var part in sequence.Parts) from = Build(part, from);
                return from;
            case TermChoice choice:
                var joined = Add();
                foreach (var part in choice.Parts)
                {
                    var entry = Add();
                    _jumps[from].Add(entry);
                    _jumps[Build(part, entry)].Add(joined);
                }

                return joined;
            case TermRepeat repeat: return BuildRepeat(repeat, from);
            default: throw new InvalidOperationException("unknown term");
        }
    }

    private int BuildRepeat(TermRepeat repeat, int from)
    {
        for (var i = 0; i < repeat.Min; i++) from = Build(repeat.Inner, Fresh(from));
        if (repeat.Max is not { } max)
        {
            var loop = Fresh(from);
            var end = Add();
            _jumps[loop].Add(end);
            _jumps[Build(repeat.Inner, Fresh(loop))].Add(loop);
            return end;
        }

        var after = Add();
        _jumps[from].Add(after);
        for (var i = repeat.Min; i < max; i++)
        {
            from = Build(repeat.Inner, Fresh(from));
            _jumps[from].Add(after);
        }

        return after;
    }

    // Loops begin at a state of their own, so that what follows them cannot lead back into what came before.
    private int Fresh(int from)
    {
        var state = Add();
        _jumps[from].Add(state);
        return state;
    }

    private int Add()
    {
        if (_jumps.Count >= MaxStates) throw new PatternException($"needs more than {MaxStates} states");
        _jumps.Add([]);
        _moves.Add(null);
        return _jumps.Count - 1;
    }
}
