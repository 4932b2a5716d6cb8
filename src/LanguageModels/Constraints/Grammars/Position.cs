namespace OpenGradient.Engine.LanguageModels.Constraints.Grammars;

/// <summary>
/// One way in which the text so far can be read: a place in a node, and the containers around it. Compared by value, so that
/// equal ways are one and masks can be found again.
/// </summary>
/// <param name="Node">-1 after the end of the whole value.</param>
/// <param name="State">The automaton's state, or phase and detail of a container.</param>
/// <param name="Count">Code points, items or properties so far.</param>
internal readonly record struct Position(int Node, int State, int Count, Frame? Parent)
{
    public bool IsEnd => Node < 0;

    public bool Equals(Position other) =>
        Node == other.Node && State == other.State && Count == other.Count && (ReferenceEquals(Parent, other.Parent) || (Parent is not null && Parent.Equals(other.Parent)));

    public override int GetHashCode() => HashCode.Combine(Node, State, Count, Parent?.Hash ?? 0);
}

/// <summary>A container around a value: where its own text goes on after the value. Immutable.</summary>
internal sealed class Frame : IEquatable<Frame>
{
    private Frame? _clamped;

    public Frame(in Position position)
    {
        Position = position;
        Hash = position.GetHashCode();
        Depth = position.IsEnd ? 0 : position.Parent!.Depth + 1;
    }

    /// <summary>What is around the whole value.</summary>
    public static Frame End { get; } = new(new Position(-1, 0, 0, null));

    public Position Position { get; }

    public int Hash { get; }

    /// <summary>Containers from here outwards.</summary>
    public int Depth { get; }

    public bool Equals(Frame? other) => other is not null && (ReferenceEquals(this, other) || (Hash == other.Hash && Position.Equals(other.Position)));

    public override bool Equals(object? obj) => Equals(obj as Frame);

    public override int GetHashCode() => Hash;

    /// <summary>This frame with counts that make no difference within one token made alike. Threads that race compute the same.</summary>
    public Frame Clamped(Grammar grammar, int reach)
    {
        if (_clamped is { } known) return known;
        var clamped = grammar.Clamp(Position, reach);
        return _clamped = clamped.Equals(Position) ? this : new Frame(clamped);
    }
}

/// <summary>A growing list of positions in which the last part, from <see cref="Begin"/> on, has no duplicates and is bounded.</summary>
internal sealed class PositionList
{
    /// <summary>Most ways that are followed at once. More than the tools of a request, whose calls begin alike; a text with more readings keeps the first ones.</summary>
    public const int MaxAtOnce = 160;

    // Below it comparing is cheaper than hashing.
    private const int Few = 8;

    private Position[] _items = new Position[16];
    private readonly HashSet<Position> _seen = [];
    private int _start;

    public int Count { get; private set; }

    public Position this[int index] => _items[index];

    public void Clear() => Truncate(0);

    public void Truncate(int count)
    {
        Count = count;
        Begin();
    }

    /// <summary>Starts a new part.</summary>
    public void Begin()
    {
        _start = Count;
        if (_seen.Count > 0) _seen.Clear();
    }

    public void Add(in Position position)
    {
        var size = Count - _start;
        if (size >= MaxAtOnce) return;
        if (size < Few)
        {
            for (var i = _start; i < Count; i++)
                if (_items[i].Equals(position)) return;
        }
        else
        {
            if (size == Few)
                for (var i = _start; i < Count; i++) _seen.Add(_items[i]);
            if (!_seen.Add(position)) return;
        }

        if (Count == _items.Length) Array.Resize(ref _items, 2 * Count);
        _items[Count++] = position;
    }
}
