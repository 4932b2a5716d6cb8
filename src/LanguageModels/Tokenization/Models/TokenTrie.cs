namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>Finds the tokens that begin a text, letter by letter. Edges lie in one open-addressed table.</summary>
internal sealed class TokenTrie
{
    // Letters of all tokens together; published vocabularies have under four million.
    private const int MaxNodes = 1 << 25;

    private ulong[] _edges = new ulong[1 << 10];
    private int[] _targets = new int[1 << 10];
    private readonly List<int> _tokens = [-1];

    public void Add(string text, int token, FilePart from)
    {
        var node = 0;
        foreach (var letter in text)
        {
            var slot = Slot(_edges, Key(node, letter));
            if (_edges[slot] == 0)
            {
                if (_tokens.Count >= MaxNodes) throw from.Refuse($"the tokens have more than {MaxNodes} letters");
                _edges[slot] = Key(node, letter);
                _targets[slot] = _tokens.Count;
                _tokens.Add(-1);
                node = _targets[slot];
                if (_tokens.Count * 2 > _edges.Length) Grow();
            }
            else
            {
                node = _targets[slot];
            }
        }

        _tokens[node] = token;
    }

    /// <summary>The node after a letter, from 0 on; -1 where no token goes on so.</summary>
    public int Step(int node, char letter)
    {
        var key = Key(node, letter);
        var slot = Slot(_edges, key);
        return _edges[slot] == key ? _targets[slot] : -1;
    }

    /// <summary>The token that ends at a node, or -1.</summary>
    public int TokenAt(int node) => _tokens[node];

    /// <summary>The longest token that begins the text.</summary>
    public bool TryLongest(ReadOnlySpan<char> text, out int token, out int length)
    {
        (token, length) = (-1, 0);
        var node = 0;
        for (var at = 0; at < text.Length && (node = Step(node, text[at])) >= 0; at++)
            if (_tokens[node] >= 0) (token, length) = (_tokens[node], at + 1);
        return token >= 0;
    }

    private static ulong Key(int node, char letter) => (((ulong)(uint)node << 16) | letter) + 1;

    private static int Slot(ulong[] edges, ulong key)
    {
        var slot = (int)((key * 0x9E3779B97F4A7C15) >> 32) & (edges.Length - 1);
        while (edges[slot] != 0 && edges[slot] != key) slot = (slot + 1) & (edges.Length - 1);
        return slot;
    }

    private void Grow()
    {
        var (edges, targets) = (new ulong[_edges.Length * 2], new int[_edges.Length * 2]);
        for (var index = 0; index < _edges.Length; index++)
        {
            if (_edges[index] == 0) continue;
            var slot = Slot(edges, _edges[index]);
            (edges[slot], targets[slot]) = (_edges[index], _targets[index]);
        }

        (_edges, _targets) = (edges, targets);
    }
}
