namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>A deterministic automaton over bytes in which every state leads to an accepting one. State 0 is the start. Immutable.</summary>
internal abstract class ByteAutomaton
{
    /// <summary>The state after a byte, or -1.</summary>
    public abstract int Next(int state, byte value);

    public abstract bool Accepts(int state);

    /// <summary>Whether anything may follow.</summary>
    public abstract bool Continues(int state);
}

/// <summary>Given texts and no others.</summary>
internal sealed class TextsAutomaton : ByteAutomaton
{
    private readonly Dictionary<long, int> _next = [];
    private readonly List<bool> _accepts = [false];
    private readonly List<bool> _continues = [false];

    public TextsAutomaton(IEnumerable<byte[]> texts)
    {
        foreach (var text in texts) Add(text);
    }

    public TextsAutomaton(ReadOnlySpan<byte> text) => Add(text);

    public override int Next(int state, byte value) => _next.GetValueOrDefault(((long)state << 8) | value, -1);

    public override bool Accepts(int state) => _accepts[state];

    public override bool Continues(int state) => _continues[state];

    private void Add(ReadOnlySpan<byte> text)
    {
        var state = 0;
        foreach (var value in text)
        {
            var key = ((long)state << 8) | value;
            if (!_next.TryGetValue(key, out var next))
            {
                _next[key] = next = _accepts.Count;
                _accepts.Add(false);
                _continues.Add(false);
                _continues[state] = true;
            }

            state = next;
        }

        _accepts[state] = true;
    }
}

/// <summary>An automaton as a table: a row per state, a column per class of bytes that no state tells apart.</summary>
internal sealed class TableAutomaton : ByteAutomaton
{
    private readonly byte[] _classes;
    private readonly int _width;
    private readonly int[] _table;
    private readonly bool[] _accepts;
    private readonly bool[] _continues;

    private TableAutomaton(byte[] classes, int width, int[] table, bool[] accepts, bool[] continues) =>
        (_classes, _width, _table, _accepts, _continues) = (classes, width, table, accepts, continues);

    public int Count => _accepts.Length;

    public override int Next(int state, byte value) => _table[(state * _width) + _classes[value]];

    public override bool Accepts(int state) => _accepts[state];

    public override bool Continues(int state) => _continues[state];

    /// <summary>Collects states and moves.</summary>
    internal sealed class Builder
    {
        // Entries of a table, 4 bytes each.
        private const int MaxTable = 4 << 20;

        private readonly List<List<(byte Low, byte High, int To)>> _rows = [];
        private readonly List<bool> _accepts = [];

        public int Count => _rows.Count;

        public int Add(bool accepts = false)
        {
            _rows.Add([]);
            _accepts.Add(accepts);
            return _rows.Count - 1;
        }

        public Builder On(int from, int low, int high, int to)
        {
            _rows[from].Add(((byte)low, (byte)high, to));
            return this;
        }

        public Builder On(int from, char value, int to) => On(from, value, value, to);

        /// <exception cref="PatternException">It would be too large.</exception>
        public TableAutomaton Build()
        {
            var edge = new bool[257];
            foreach (var row in _rows)
            {
                foreach (var (low, high, _) in row)
                {
                    edge[low] = true;
                    edge[high + 1] = true;
                }
            }

            var classes = new byte[256];
            var width = 1;
            for (var value = 0; value < 256; value++)
            {
                if (value > 0 && edge[value]) width++;
                classes[value] = (byte)(width - 1);
            }

            if ((long)width * _rows.Count > MaxTable) throw new PatternException("needs too large a table");
            var table = new int[width * _rows.Count];
            Array.Fill(table, -1);
            for (var state = 0; state < _rows.Count; state++)
            {
                foreach (var (low, high, to) in _rows[state])
                    for (var column = classes[low]; column <= classes[high]; column++) table[(state * width) + column] = to;
            }

            return new TableAutomaton(classes, width, table, [.. _accepts], [.. _rows.Select(row => row.Count > 0)]);
        }
    }
}
