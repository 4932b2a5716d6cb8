namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>A part of a parsed pattern.</summary>
internal abstract record PatternNode
{
    /// <summary>Fewest code points that it can match.</summary>
    public abstract int Least { get; }

    /// <summary>Code points of every match where that is one number, else null.</summary>
    public abstract int? Fixed { get; }
}

internal sealed record SetNode(CodePointSet Set) : PatternNode
{
    public override int Least => 1;

    public override int? Fixed => 1;
}

internal sealed record SequenceNode(IReadOnlyList<PatternNode> Parts) : PatternNode
{
    public override int Least { get; } = (int)Math.Min(int.MaxValue, Parts.Sum(part => (long)part.Least));

    public override int? Fixed { get; } = Parts.All(part => part.Fixed is not null) && Parts.Sum(part => (long)part.Fixed!) is < 10_000 and var sum ? (int)sum : null;
}

internal sealed record ChoiceNode(IReadOnlyList<PatternNode> Options) : PatternNode
{
    public override int Least { get; } = Options.Min(option => option.Least);

    public override int? Fixed { get; } = Options.Select(option => option.Fixed).Distinct().Count() == 1 ? Options[0].Fixed : null;
}

internal enum RepeatKind { Greedy, Lazy, Possessive }

/// <param name="Most">-1 for no limit.</param>
internal sealed record RepeatNode(PatternNode Body, int Fewest, int Most, RepeatKind Kind) : PatternNode
{
    public override int Least { get; } = (int)Math.Min(int.MaxValue, (long)Body.Least * Fewest);

    public override int? Fixed { get; } = Fewest == Most && Body.Fixed is { } width && (long)width * Fewest < 10_000 ? width * Fewest : null;
}

/// <summary>A group whose first match is kept.</summary>
internal sealed record AtomicNode(PatternNode Body) : PatternNode
{
    public override int Least => Body.Least;

    public override int? Fixed => Body.Fixed;
}

internal sealed record LookNode(PatternNode Body, bool Ahead, bool Negative) : PatternNode
{
    public override int Least => 0;

    public override int? Fixed => 0;
}

internal enum AnchorKind { TextStart, TextEnd, LastLineEnd, LineStart, LineEnd, WordBoundary, NoWordBoundary }

internal sealed record AnchorNode(AnchorKind Kind) : PatternNode
{
    public override int Least => 0;

    public override int? Fixed => 0;
}
