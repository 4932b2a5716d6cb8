namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>A regular language of texts, as a tree.</summary>
internal abstract record Term
{
    public static Term Empty { get; } = new TermSequence([]);

    public static Term Digit { get; } = Digits(0, 9);

    public static Term Text(string text) =>
        new TermSequence([.. text.EnumerateRunes().Select(rune => (Term)new TermSet(CodePointSet.Single(rune.Value)))]);

    public static Term Digits(int low, int high) => new TermSet(CodePointSet.Of(('0' + low, '0' + high)));

    public static Term Sequence(params ReadOnlySpan<Term> parts) => new TermSequence([.. parts]);

    public static Term Choice(params ReadOnlySpan<Term> parts) => new TermChoice([.. parts]);

    public static Term Repeat(Term inner, int min, int? max) => new TermRepeat(inner, min, max);

    public static Term Optional(Term inner) => new TermRepeat(inner, 0, 1);
}

/// <summary>One code point of a set. An empty set matches nothing.</summary>
internal sealed record TermSet(CodePointSet Set) : Term;

internal sealed record TermSequence(IReadOnlyList<Term> Parts) : Term;

/// <summary>An empty choice matches nothing.</summary>
internal sealed record TermChoice(IReadOnlyList<Term> Parts) : Term;

/// <param name="Max">Null for no bound.</param>
internal sealed record TermRepeat(Term Inner, int Min, int? Max) : Term;

/// <summary>A pattern that is not understood, or whose automaton would be too large. The message is a clause without a place.</summary>
internal sealed class PatternException(string message) : Exception(message);
