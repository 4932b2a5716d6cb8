namespace OpenGradient.Engine.LanguageModels.Constraints.Grammars;

/// <summary>A property of an object.</summary>
/// <param name="Key">The name's canonical spelling, quotes included.</param>
/// <param name="Value">Its node.</param>
internal readonly record struct GrammarProperty(byte[] Key, int Value, bool IsRequired);

/// <summary>An object: its properties in order, optional ones may be left out, then others if it has any.</summary>
/// <param name="extra">Node of other properties' values; -1 for an object that has none.</param>
internal sealed class ObjectNode(IReadOnlyList<GrammarProperty> properties, int extra) : GrammarNode
{
    private GrammarProperty[] _properties = [.. properties];
    private int[] _nextRequired = [];
    private KeyTree _keys = new([], []);
    private int _tallest;

    public int Count => _properties.Length;

    /// <summary>Node of a property's value; of other properties' at <see cref="Count"/>.</summary>
    public int ValueAt(int index) => index < Count ? _properties[index].Value : Extra;

    public int Extra { get; private set; } = extra;

    /// <summary>Names of the properties, spelled as keys with their colons.</summary>
    public KeyTree Keys => _keys;

    /// <summary>Whether no property from a place on is required.</summary>
    public bool MayEnd(int from) => _nextRequired[from] == Count;

    /// <summary>Last property that may come next: the first required one.</summary>
    public int LastCandidate(int from) => Math.Min(_nextRequired[from], Count - 1);

    /// <summary>Whether any property may come next.</summary>
    /// <param name="room">Levels that its value may have.</param>
    public bool MayContinue(int from, int room, IReadOnlyList<GrammarNode> nodes) =>
        MayAddExtra(from, room, nodes) || (_tallest <= room ? from < Count : FirstFitting(from, LastCandidate(from), room, nodes));

    public bool MayAddExtra(int from, int room, IReadOnlyList<GrammarNode> nodes) => Extra >= 0 && MayEnd(from) && nodes[Extra].Height <= room;

    /// <summary>Whether a property whose key begins like a node of the tree may come next.</summary>
    public bool MayBegin(int key, int from, int room, IReadOnlyList<GrammarNode> nodes)
    {
        var last = LastCandidate(from);
        foreach (var index in _keys.From(key, from))
        {
            if (index > last) return false;
            if (_tallest <= room || nodes[_properties[index].Value].Height <= room) return true;
        }

        return false;
    }

    public override void Finish(IReadOnlyList<GrammarNode> nodes)
    {
        // A property that nothing satisfies is left out; its name stays known, since others must not have it.
        var unsatisfied = _properties.Where(property => nodes[property.Value].Height >= Never).ToArray();
        _properties = [.. _properties.Where(property => nodes[property.Value].Height < Never)];
        if (Extra >= 0 && nodes[Extra].Height >= Never) Extra = -1;
        _nextRequired = new int[Count + 1];
        _nextRequired[Count] = Count;
        for (var i = Count - 1; i >= 0; i--) _nextRequired[i] = _properties[i].IsRequired ? i : _nextRequired[i + 1];
        _keys = new KeyTree(_properties.Select(property => property.Key), unsatisfied.Select(property => property.Key));
        _tallest = _properties.Length == 0 ? 0 : _properties.Max(property => nodes[property.Value].Height);
    }

    protected override int Measure(IReadOnlyList<GrammarNode> nodes)
    {
        var tallest = 0;
        foreach (var property in _properties)
            if (property.IsRequired) tallest = Math.Max(tallest, nodes[property.Value].Height);
        return 1 + tallest;
    }

    private bool FirstFitting(int from, int last, int room, IReadOnlyList<GrammarNode> nodes)
    {
        for (var i = from; i <= last; i++)
            if (nodes[_properties[i].Value].Height <= room) return true;
        return false;
    }
}

/// <summary>Keys of an object as a tree of their bytes, colons included. Node 0 is the root.</summary>
internal sealed class KeyTree
{
    private readonly Dictionary<long, int> _next = [];
    private readonly List<List<int>> _indexes = [[]];
    private readonly List<int> _ends = [-1];

    /// <param name="keys">In the order of the properties.</param>
    /// <param name="reserved">Keys that no property has and no other may have.</param>
    public KeyTree(IEnumerable<byte[]> keys, IEnumerable<byte[]> reserved)
    {
        var index = 0;
        foreach (var key in keys) _ends[Grow(key, index)] = index++;
        foreach (var key in reserved) Grow(key, -1);
    }

    /// <summary>-1 where no key goes on so.</summary>
    public int Next(int node, byte value) => _next.GetValueOrDefault(((long)node << 8) | value, -1);

    /// <summary>The property whose key and colon end here, or -1.</summary>
    public int EndsAt(int node) => _ends[node];

    /// <summary>Properties below a node other than the root, from one on, in order.</summary>
    public IEnumerable<int> From(int node, int first)
    {
        var indexes = _indexes[node];
        var at = indexes.BinarySearch(first);
        for (at = at < 0 ? ~at : at; at < indexes.Count; at++) yield return indexes[at];
    }

    private int Grow(byte[] text, int index)
    {
        var node = 0;
        foreach (var value in (ReadOnlySpan<byte>)[.. text, (byte)':'])
        {
            var key = ((long)node << 8) | value;
            if (!_next.TryGetValue(key, out var next))
            {
                _next[key] = next = _indexes.Count;
                _indexes.Add([]);
                _ends.Add(-1);
            }

            node = next;
            if (index >= 0) _indexes[node].Add(index);
        }

        return node;
    }
}
