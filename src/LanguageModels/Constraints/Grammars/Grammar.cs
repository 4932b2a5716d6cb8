using OpenGradient.Engine.LanguageModels.Constraints.Automata;

namespace OpenGradient.Engine.LanguageModels.Constraints.Grammars;

/// <summary>
/// A compiled schema: a pushdown automaton over the bytes of JSON texts. Between tokens of JSON there is no white space except
/// at most one space after a colon and after a comma. Every position leads to a whole value. Immutable.
/// </summary>
internal sealed class Grammar
{
    /// <summary>Most objects and arrays within each other: what .NET's JSON reader takes by default.</summary>
    public const int MaxDepth = 64;

    private readonly GrammarNode[] _nodes;

    /// <param name="nodes">Node 0 is the whole value.</param>
    public Grammar(IReadOnlyList<GrammarNode> nodes)
    {
        _nodes = [.. nodes];
        // Two rounds settle at least the nodes of one more level and the choices among them; nodes taller than a text may be need no exact height.
        for (var round = 0; round <= 2 * (MaxDepth + 1); round++)
        {
            var changed = false;
            foreach (var node in _nodes) changed |= node.Settle(_nodes);
            if (!changed) break;
        }

        foreach (var node in _nodes) node.Finish(_nodes);
    }

    /// <summary>Whether any value of at most <see cref="MaxDepth"/> levels satisfies it.</summary>
    public bool IsSatisfiable => _nodes[0].Height <= MaxDepth;

    public static Position Start { get; } = new(0, 0, 0, Frame.End);

    /// <summary>Whether the value may be over at a position.</summary>
    public bool MayEnd(in Position position) =>
        position.IsEnd || (position.Parent!.Position.IsEnd && _nodes[position.Node] is TextNode text && text.Automaton.Accepts(position.State));

    /// <summary>Adds every position that a byte leads to.</summary>
    public void Step(in Position position, byte value, PositionList next)
    {
        if (position.IsEnd) return;
        switch (_nodes[position.Node])
        {
            case TextNode text: StepText(text, position, value, next); break;
            case ObjectNode node: StepObject(node, position, value, next); break;
            case ArrayNode node: StepArray(node, position, value, next); break;
            case ChoiceNode choice:
                foreach (var alternative in choice.Alternatives) Enter(alternative, position.Parent!, value, next);
                break;
        }
    }

    /// <summary>Where free text of a string is read, so that whole characters that stand for themselves lead back here: how many more there may be. Elsewhere -1.</summary>
    public int FreeRoom(in Position position)
    {
        if (position.IsEnd) return -1;
        switch (_nodes[position.Node])
        {
            case TextNode text when position.State == JsonStrings.Boundary && ReferenceEquals(text.Automaton, JsonStrings.Free):
                return text.MaxCount < 0 ? int.MaxValue : text.MaxCount - position.Count;
            // Another property's name that is on the way to no declared one.
            case ObjectNode when position.State == State(Phase.ExtraKey, JsonStrings.Boundary) && position.Count == 0: return int.MaxValue;
            default: return -1;
        }
    }

    /// <summary>The position with counts that make no difference to the next <paramref name="reach"/> bytes made alike.</summary>
    public Position Clamp(in Position position, int reach)
    {
        if (position.IsEnd) return position;
        var clamped = position with { Parent = position.Parent!.Clamped(this, reach) };
        return _nodes[position.Node] switch
        {
            TextNode { IsCounted: true } text => clamped with { Count = Clamped(position.Count, 0, text.MinCount, text.MaxCount, reach) },
            ArrayNode array => clamped with { Count = Clamped(position.Count, array.First.Count, array.Min, array.Max, reach) },
            _ => clamped,
        };
    }

    private static int Clamped(int count, int floor, int min, int max, int reach)
    {
        if (count < floor) return count;
        // Too far from the minimum to reach it, or beyond the minimum and too far from the maximum.
        if (min - count > reach) return Math.Max(floor, min - reach - 1);
        if (count >= min && max >= 0 && max - count > reach) return Math.Max(Math.Max(floor, min), max - reach - 1);
        return count;
    }

    private void Enter(int node, Frame parent, byte value, PositionList next)
    {
        if (parent.Depth + _nodes[node].Height <= MaxDepth) Step(new Position(node, 0, 0, parent), value, next);
    }

    private void StepText(TextNode text, in Position position, byte value, PositionList next)
    {
        var automaton = text.Automaton;
        var state = automaton.Next(position.State, value);
        var count = position.Count;
        if (text.IsCounted && position.State == JsonStrings.Boundary && state >= 0)
        {
            if (value == '"') state = count < text.MinCount ? -1 : state;
            else if (text.MaxCount < 0) count = Math.Min(count + 1, text.MinCount);
            else if (count++ >= text.MaxCount) state = -1;
        }

        if (state >= 0) next.Add(automaton.Continues(state) ? position with { State = state, Count = count } : position.Parent!.Position);
        // A number ends where something follows that cannot be part of it.
        if (automaton.Accepts(position.State)) Step(position.Parent!.Position, value, next);
    }

    // A container's state is its phase, and above it a detail: a node of the key tree, a property, a state of the key's automaton.
    private enum Phase
    {
        Opening = 0,
        First = 1,
        AfterComma = 2,
        AfterSpace = 3,
        Key = 4,
        AfterColon = 5,
        BeforeValue = 6,
        AfterValue = 7,
        ExtraKey = 8,
        ExtraColon = 9,
    }

    private const int PhaseBits = 4;

    private static int State(Phase phase, int detail = 0) => (detail << PhaseBits) | (int)phase;

    private void StepObject(ObjectNode node, in Position position, byte value, PositionList next)
    {
        var (phase, detail) = ((Phase)(position.State & ((1 << PhaseBits) - 1)), position.State >> PhaseBits);
        // What a property's value may add below the object itself.
        var room = MaxDepth - position.Parent!.Depth - 1;
        switch (phase)
        {
            case Phase.Opening when value == '{':
                next.Add(position with { State = State(Phase.First) });
                break;
            case Phase.First or Phase.AfterValue when value == '}':
                if (node.MayEnd(position.Count)) next.Add(position.Parent.Position);
                break;
            case Phase.AfterValue when value == ',':
                if (node.MayContinue(position.Count, room, _nodes)) next.Add(position with { State = State(Phase.AfterComma) });
                break;
            case Phase.AfterComma when value == ' ':
                next.Add(position with { State = State(Phase.AfterSpace) });
                break;
            case Phase.First or Phase.AfterComma or Phase.AfterSpace when value == '"':
                StepKey(node, position, 0, value, room, next);
                if (node.MayAddExtra(position.Count, room, _nodes))
                    next.Add(position with { State = State(Phase.ExtraKey, JsonStrings.Boundary), Count = node.Keys.Next(0, value) + 1 });
                break;
            case Phase.Key:
                StepKey(node, position, detail, value, room, next);
                break;
            case Phase.AfterColon when value == ' ':
                next.Add(position with { State = State(Phase.BeforeValue, detail) });
                break;
            case Phase.AfterColon or Phase.BeforeValue:
                Enter(node.ValueAt(detail), new Frame(position with { State = State(Phase.AfterValue), Count = Math.Min(detail + 1, node.Count) }), value, next);
                break;
            case Phase.ExtraKey:
                StepExtraKey(node, position, detail, value, next);
                break;
            case Phase.ExtraColon when value == ':':
                next.Add(position with { State = State(Phase.AfterColon, node.Count), Count = node.Count });
                break;
        }
    }

    private void StepKey(ObjectNode node, in Position position, int key, byte value, int room, PositionList next)
    {
        var child = node.Keys.Next(key, value);
        if (child < 0 || !node.MayBegin(child, position.Count, room, _nodes)) return;
        var ended = node.Keys.EndsAt(child);
        next.Add(position with { State = ended >= 0 ? State(Phase.AfterColon, ended) : State(Phase.Key, child) });
    }

    /// <summary>Another property's key has one spelling, and is none of the declared ones: the key tree is followed beside it.</summary>
    private static void StepExtraKey(ObjectNode node, in Position position, int state, byte value, PositionList next)
    {
        var after = JsonStrings.Canonical.Next(state, value);
        if (after < 0) return;
        var key = position.Count == 0 ? 0 : node.Keys.Next(position.Count - 1, value) + 1;
        if (JsonStrings.Canonical.Continues(after)) next.Add(position with { State = State(Phase.ExtraKey, after), Count = key });
        else if (key == 0) next.Add(position with { State = State(Phase.ExtraColon), Count = node.Count });
    }

    private void StepArray(ArrayNode node, in Position position, byte value, PositionList next)
    {
        var count = position.Count;
        switch ((Phase)position.State)
        {
            case Phase.Opening when value == '[':
                next.Add(position with { State = State(Phase.First) });
                break;
            case Phase.First or Phase.AfterValue when value == ']':
                if (count >= node.Min) next.Add(position.Parent!.Position);
                break;
            case Phase.AfterValue when value == ',':
                if (MayAddItem(node, count, position.Parent!.Depth)) next.Add(position with { State = State(Phase.AfterComma) });
                break;
            case Phase.AfterComma when value == ' ':
                next.Add(position with { State = State(Phase.AfterSpace) });
                break;
            case Phase.First or Phase.AfterComma or Phase.AfterSpace:
                if (!MayAddItem(node, count, position.Parent!.Depth)) break;
                var after = node.Max < 0 ? Math.Min(count + 1, node.Saturation) : count + 1;
                Enter(node.ItemAt(count), new Frame(position with { State = State(Phase.AfterValue), Count = after }), value, next);
                break;
        }
    }

    private bool MayAddItem(ArrayNode node, int count, int depth) =>
        (node.Max < 0 || count < node.Max) && node.ItemAt(count) is var item && item >= 0 && depth + 1 + _nodes[item].Height <= MaxDepth;
}
