namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>A deterministic automaton over code points, without states from which nothing is accepted. State 0 is the start.</summary>
internal sealed class CodePointDfa
{
    /// <summary>No automaton has more states: its table stays within a few megabytes.</summary>
    public const int MaxStates = 8192;

    // Work of one construction; above it a pattern is hostile rather than long.
    private const int MaxWork = 1_500_000;

    private readonly List<(int Low, int High, int To)[]> _moves;
    private readonly List<bool> _accepts;

    private CodePointDfa(List<(int Low, int High, int To)[]> moves, List<bool> accepts) => (_moves, _accepts) = (moves, accepts);

    public int Count => _moves.Count;

    /// <summary>Whether no text is accepted.</summary>
    public bool IsEmpty => _moves.Count == 0;

    public bool Accepts(int state) => _accepts[state];

    /// <summary>Sorted by code point, disjoint.</summary>
    public ReadOnlySpan<(int Low, int High, int To)> Moves(int state) => _moves[state];

    public int Next(int state, int codePoint)
    {
        foreach (var (low, high, to) in _moves[state])
            if (codePoint >= low && codePoint <= high) return to;
        return -1;
    }

    public bool Matches(string text)
    {
        if (IsEmpty) return false;
        var state = 0;
        foreach (var rune in text.EnumerateRunes())
            if ((state = Next(state, rune.Value)) < 0) return false;
        return Accepts(state);
    }

    /// <exception cref="PatternException">It would be too large.</exception>
    public static CodePointDfa Of(Term term)
    {
        var nfa = new Nfa(term);
        var subsets = new Subsets(nfa);
        var (moves, accepts) = (new List<(int, int, int)[]>(), new List<bool>());
        for (var state = 0; state < subsets.Count; state++)
        {
            moves.Add(subsets.MovesOf(state));
            accepts.Add(subsets.Has(state, nfa.End));
        }

        return Pruned(moves, accepts);
    }

    /// <summary>Texts that both accept.</summary>
    /// <exception cref="PatternException">It would be too large.</exception>
    public CodePointDfa Intersect(CodePointDfa other) => IsEmpty || other.IsEmpty
        ? new CodePointDfa([], [])
        : Product((0, 0), pair => _accepts[pair.Item1] && other._accepts[pair.Item2], (pair, add) =>
        {
            foreach (var (low, high, to) in _moves[pair.Item1])
            {
                foreach (var (otherLow, otherHigh, otherTo) in other._moves[pair.Item2])
                {
                    var (from, last) = (Math.Max(low, otherLow), Math.Min(high, otherHigh));
                    if (from <= last) add(from, last, (to, otherTo));
                }
            }
        });

    /// <summary>Texts of so many code points.</summary>
    /// <param name="max">Null for no bound.</param>
    /// <exception cref="PatternException">It would be too large.</exception>
    public CodePointDfa WithLength(int min, int? max) => IsEmpty || (min == 0 && max is null)
        ? this
        : Product((0, 0), pair => _accepts[pair.Item1] && pair.Item2 >= min, (pair, add) =>
        {
            if (pair.Item2 >= max) return;
            // Beyond the minimum and without a maximum, lengths need not be told apart.
            var length = max is null ? Math.Min(pair.Item2 + 1, min) : pair.Item2 + 1;
            foreach (var (low, high, to) in _moves[pair.Item1]) add(low, high, (to, length));
        });

    private static CodePointDfa Product((int, int) start, Func<(int, int), bool> accepting, Action<(int, int), Action<int, int, (int, int)>> expand)
    {
        var ids = new Dictionary<(int, int), int> { [start] = 0 };
        var pairs = new List<(int, int)> { start };
        var (moves, accepts) = (new List<(int, int, int)[]>(), new List<bool>());
        var work = 0;
        for (var i = 0; i < pairs.Count; i++)
        {
            var row = new List<(int, int, int)>();
            expand(pairs[i], (low, high, pair) =>
            {
                if (++work > MaxWork) throw TooLarge();
                if (!ids.TryGetValue(pair, out var id))
                {
                    if (pairs.Count >= MaxStates) throw TooLarge();
                    ids[pair] = id = pairs.Count;
                    pairs.Add(pair);
                }

                row.Add((low, high, id));
            });
            row.Sort();
            moves.Add([.. row]);
            accepts.Add(accepting(pairs[i]));
        }

        return Pruned(moves, accepts);
    }

    private static CodePointDfa Pruned(List<(int Low, int High, int To)[]> moves, List<bool> accepts)
    {
        // Backwards from the accepting states.
        var sources = new List<int>[moves.Count];
        for (var i = 0; i < moves.Count; i++) sources[i] = [];
        for (var i = 0; i < moves.Count; i++)
            foreach (var (_, _, to) in moves[i]) sources[to].Add(i);
        var ids = new int[moves.Count];
        Array.Fill(ids, -1);
        var open = new Stack<int>();
        for (var i = 0; i < moves.Count; i++)
        {
            if (!accepts[i]) continue;
            ids[i] = 0;
            open.Push(i);
        }

        while (open.TryPop(out var state))
        {
            foreach (var source in sources[state])
            {
                if (ids[source] >= 0) continue;
                ids[source] = 0;
                open.Push(source);
            }
        }

        if (moves.Count == 0 || ids[0] < 0) return new CodePointDfa([], []);
        var count = 0;
        for (var i = 0; i < ids.Length; i++)
            if (ids[i] >= 0) ids[i] = count++;
        var (kept, keptAccepts) = (new List<(int, int, int)[]>(count), new List<bool>(count));
        for (var i = 0; i < moves.Count; i++)
        {
            if (ids[i] < 0) continue;
            kept.Add([.. moves[i].Where(move => ids[move.To] >= 0).Select(move => (move.Low, move.High, ids[move.To]))]);
            keptAccepts.Add(accepts[i]);
        }

        return new CodePointDfa(kept, keptAccepts);
    }

    private static PatternException TooLarge() => new($"needs more than {MaxStates} states or too much work");

    /// <summary>The subset construction: sets of the other automaton's states, numbered as they are found.</summary>
    private sealed class Subsets
    {
        private readonly Nfa _nfa;
        private readonly List<int[]> _sets = [];
        private readonly Dictionary<string, int> _ids = [];
        private int _work;

        public Subsets(Nfa nfa)
        {
            _nfa = nfa;
            IdOf([nfa.Start]);
        }

        public int Count => _sets.Count;

        public bool Has(int id, int state) => Array.BinarySearch(_sets[id], state) >= 0;

        public (int, int, int)[] MovesOf(int id)
        {
            var moves = _sets[id].Select(state => _nfa.Move(state)).OfType<(CodePointSet Set, int To)>().ToArray();
            // Between two neighbouring edges every code point leads to the same set.
            var edges = new SortedSet<int>();
            foreach (var (set, _) in moves)
            {
                foreach (var (low, high) in set.Ranges)
                {
                    edges.Add(low);
                    edges.Add(high + 1);
                    Work(1);
                }
            }

            var row = new List<(int Low, int High, int To)>();
            var bounds = edges.ToArray();
            for (var i = 0; i + 1 < bounds.Length; i++)
            {
                var targets = new List<int>();
                foreach (var (set, to) in moves)
                {
                    Work(1);
                    foreach (var (low, high) in set.Ranges)
                        if (bounds[i] >= low && bounds[i] <= high) targets.Add(to);
                }

                if (targets.Count == 0) continue;
                var target = IdOf(targets);
                if (row.Count > 0 && row[^1].To == target && row[^1].High + 1 == bounds[i]) row[^1] = (row[^1].Low, bounds[i + 1] - 1, target);
                else row.Add((bounds[i], bounds[i + 1] - 1, target));
            }

            return [.. row];
        }

        private int IdOf(List<int> states)
        {
            var set = new SortedSet<int>();
            var open = new Stack<int>(states);
            while (open.TryPop(out var state))
            {
                if (!set.Add(state)) continue;
                Work(1);
                foreach (var next in _nfa.Jumps(state)) open.Push(next);
            }

            // States that neither read nor end tell nothing apart.
            int[] kept = [.. set.Where(state => state == _nfa.End || _nfa.Move(state) is not null)];
            var key = string.Join(',', kept);
            if (_ids.TryGetValue(key, out var id)) return id;
            if (_sets.Count >= MaxStates) throw TooLarge();
            _sets.Add(kept);
            return _ids[key] = _sets.Count - 1;
        }

        private void Work(int amount)
        {
            if ((_work += amount) > MaxWork) throw TooLarge();
        }
    }
}
