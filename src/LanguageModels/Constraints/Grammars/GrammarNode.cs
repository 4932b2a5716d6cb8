using OpenGradient.Engine.LanguageModels.Constraints.Automata;

namespace OpenGradient.Engine.LanguageModels.Constraints.Grammars;

/// <summary>What may stand for one JSON value. Nodes name each other by index, so that they may be recursive.</summary>
internal abstract class GrammarNode
{
    /// <summary>Height of a node that nothing satisfies.</summary>
    public const int Never = int.MaxValue / 2;

    /// <summary>Fewest levels of objects and arrays that a value has: 0 for a text, <see cref="Never"/> for none at all.</summary>
    public int Height { get; private set; } = Never;

    /// <summary>Computes the height from those of the nodes named. True when it became smaller.</summary>
    public bool Settle(IReadOnlyList<GrammarNode> nodes)
    {
        var height = Math.Min(Measure(nodes), Never);
        if (height >= Height) return false;
        Height = height;
        return true;
    }

    /// <summary>Called once, when all heights are known.</summary>
    public virtual void Finish(IReadOnlyList<GrammarNode> nodes)
    {
    }

    protected abstract int Measure(IReadOnlyList<GrammarNode> nodes);
}

/// <summary>A value without parts, by the automaton of its text.</summary>
/// <param name="minCount">Of a free string: fewest code points.</param>
/// <param name="maxCount">Of a free string: most code points; null for no bound.</param>
internal sealed class TextNode(ByteAutomaton automaton, int minCount = 0, int? maxCount = null) : GrammarNode
{
    public ByteAutomaton Automaton { get; } = automaton;

    public int MinCount { get; } = minCount;

    /// <summary>-1 for no bound.</summary>
    public int MaxCount { get; } = maxCount ?? -1;

    public bool IsCounted { get; } = minCount > 0 || maxCount is not null;

    protected override int Measure(IReadOnlyList<GrammarNode> nodes) => 0;
}

/// <summary>One of several. None of them is a choice again; with none it is never satisfied.</summary>
internal sealed class ChoiceNode(IReadOnlyList<int> alternatives) : GrammarNode
{
    public IReadOnlyList<int> Alternatives { get; } = alternatives;

    protected override int Measure(IReadOnlyList<GrammarNode> nodes) => Alternatives.Count == 0 ? Never : Alternatives.Min(index => nodes[index].Height);
}

/// <summary>An array: items by place, then items that are alike.</summary>
/// <param name="rest">Node of the items after <paramref name="first"/>; -1 for none.</param>
/// <param name="max">Null for no bound.</param>
internal sealed class ArrayNode(IReadOnlyList<int> first, int rest, int min, int? max) : GrammarNode
{
    public IReadOnlyList<int> First { get; } = first;

    public int Min { get; } = min;

    /// <summary>-1 for no bound.</summary>
    public int Max { get; private set; } = rest < 0 ? Math.Min(max ?? int.MaxValue, first.Count) : max ?? -1;

    /// <summary>Counts beyond this need not be told apart unless there is a maximum.</summary>
    public int Saturation => Math.Max(Min, First.Count);

    /// <summary>Node of an item; -1 where there is none.</summary>
    public int ItemAt(int index) => index < First.Count ? First[index] : rest;

    public override void Finish(IReadOnlyList<GrammarNode> nodes)
    {
        // An item that nothing satisfies ends the array before it.
        for (var i = 0; i <= First.Count; i++)
        {
            if (ItemAt(i) is var item && item >= 0 && nodes[item].Height < Never) continue;
            Max = Max < 0 ? i : Math.Min(Max, i);
            return;
        }
    }

    protected override int Measure(IReadOnlyList<GrammarNode> nodes)
    {
        if (Max >= 0 && Min > Max) return Never;
        var tallest = 0;
        for (var i = 0; i < Min && i <= First.Count; i++) tallest = Math.Max(tallest, ItemAt(i) is var item && item >= 0 ? nodes[item].Height : Never);
        return 1 + tallest;
    }
}
