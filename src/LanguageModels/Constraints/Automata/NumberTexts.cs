using System.Numerics;

namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>A bound of a number.</summary>
internal readonly record struct NumberBound(DecimalNumber Value, bool IsExclusive);

/// <summary>
/// Numbers between bounds as regular languages of their JSON texts. Lengths are bounded, so that a model cannot write digits
/// without end: integers without bounds are those of 64 bits, other numbers have at most 19 digits before and 17 after the point.
/// </summary>
internal static class NumberTexts
{
    private const int WholeDigits = 19;
    private const int FractionDigits = 17;

    // Bounds with more digits make automata that nobody needs.
    private const int MaxBoundDigits = 40;

    private static readonly Term Point = Term.Text(".");
    private static readonly Term NonZero = Term.Digits(1, 9);
    private static readonly Term Whole = Term.Choice(Term.Text("0"), Term.Sequence(NonZero, Digits(0, WholeDigits - 1)));
    private static readonly Term AnyFraction = Term.Optional(Term.Sequence(Point, Digits(1, FractionDigits)));
    private static readonly Term Unsigned = Term.Sequence(Whole, AnyFraction);

    /// <summary>Every integer of 64 bits, and every other number with at most two digits of exponent.</summary>
    public static CodePointDfa AnyNumber { get; } = CodePointDfa.Of(Term.Sequence(
        Term.Optional(Term.Text("-")), Unsigned,
        Term.Optional(Term.Sequence(
            new TermSet(CodePointSet.Of(('e', 'e'), ('E', 'E'))), Term.Optional(new TermSet(CodePointSet.Of(('+', '+'), ('-', '-')))), Digits(1, 2)))));

    /// <summary>Integers between bounds, both inclusive; null for the bound of 64 bits, or of one more digit than the other bound where that lies beyond.</summary>
    /// <returns>Empty when the bounds contradict each other.</returns>
    /// <exception cref="PatternException">A bound has too many digits.</exception>
    public static CodePointDfa Integers(BigInteger? least, BigInteger? most)
    {
        var low = least ?? BigInteger.Min(long.MinValue, (most ?? 0) * 10);
        var high = most ?? BigInteger.Max(long.MaxValue, low * 10);
        if (Math.Max(Text(low).Length, Text(high).Length) > MaxBoundDigits + 1) throw new PatternException($"has more than {MaxBoundDigits} digits");
        var parts = new List<Term>();
        if (high >= 0 && low <= high) parts.Add(Between(BigInteger.Max(low, 0), high));
        if (low < 0 && low <= high) parts.Add(Term.Sequence(Term.Text("-"), Between(BigInteger.Max(-high, 1), -low)));
        return CodePointDfa.Of(new TermChoice(parts));
    }

    /// <summary>Numbers between bounds, without exponents.</summary>
    /// <returns>Empty when the bounds contradict each other.</returns>
    /// <exception cref="PatternException">A bound has too many digits.</exception>
    public static CodePointDfa Numbers(NumberBound? least, NumberBound? most)
    {
        foreach (var bound in new[] { least, most })
            if (bound is { } given && given.Value.Whole.Length + given.Value.Fraction.Length > MaxBoundDigits) throw new PatternException($"has more than {MaxBoundDigits} digits");
        // A negative zero is not written.
        var zero = new NumberBound(new DecimalNumber(false, "0", ""), IsExclusive: true);
        var numbers = CodePointDfa.Of(Term.Choice(LongUnsigned(least, most), Term.Sequence(Term.Text("-"), AtLeast(zero, most, least))));
        if (least is { } low) numbers = numbers.Intersect(CodePointDfa.Of(SignedAtLeast(low, most)));
        if (most is { } high) numbers = numbers.Intersect(CodePointDfa.Of(SignedAtMost(high, least)));
        return numbers;
    }

    private static Term SignedAtLeast(NumberBound low, NumberBound? other) => low.Value.IsNegative
        ? Term.Choice(LongUnsigned(low, other), Term.Sequence(Term.Text("-"), AtMost(Mirrored(low))))
        : AtLeast(low, low, other);

    private static Term SignedAtMost(NumberBound high, NumberBound? other) => high.Value.IsNegative
        ? Term.Sequence(Term.Text("-"), AtLeast(Mirrored(high), high, other))
        : Term.Choice(Term.Sequence(Term.Text("-"), LongUnsigned(high, other)), AtMost(high));

    private static NumberBound Mirrored(NumberBound bound) => bound with { Value = bound.Value.Magnitude() };

    /// <summary>Unsigned numbers from a bound that is not negative, as long as the longest bound demands.</summary>
    private static Term AtLeast(NumberBound low, NumberBound? one, NumberBound? other)
    {
        var (whole, fraction) = (low.Value.Whole, low.Value.Fraction);
        var longest = BigInteger.Pow(10, Longest(one, other, low)) - 1;
        return Term.Choice(
            Term.Sequence(Term.Text(whole), FractionAtLeast(fraction, low.IsExclusive)),
            Term.Sequence(Between(BigInteger.Parse(whole) + 1, longest), Fraction(Math.Max(Places(one), Places(other)))));
    }

    private static Term AtMost(NumberBound high)
    {
        var (whole, fraction) = (high.Value.Whole, high.Value.Fraction);
        var parts = new List<Term>();
        if (whole != "0") parts.Add(Term.Sequence(Between(0, BigInteger.Parse(whole) - 1), Fraction(Places(high))));
        if (FractionAtMost(fraction, high.IsExclusive) is { } last) parts.Add(Term.Sequence(Term.Text(whole), last));
        return new TermChoice(parts);
    }

    private static Term LongUnsigned(NumberBound? one, NumberBound? other) =>
        Term.Sequence(Between(0, BigInteger.Pow(10, Longest(one, other, null)) - 1), Fraction(Math.Max(Places(one), Places(other))));

    private static int Longest(NumberBound? one, NumberBound? other, NumberBound? third) =>
        Math.Max(WholeDigits, 1 + new[] { one, other, third }.Max(bound => bound?.Value.Whole.Length ?? 0));

    private static int Places(NumberBound? bound) => (bound?.Value.Fraction.Length ?? 0) + FractionDigits;

    private static Term Fraction(int places) => Term.Optional(Term.Sequence(Point, Digits(1, places)));

    private static Term FractionAtLeast(string fraction, bool isExclusive)
    {
        var above = Term.Sequence(Zeros(0, FractionDigits - 1), NonZero, Digits(0, FractionDigits - 1));
        if (fraction.Length == 0) return isExclusive ? Term.Sequence(Point, above) : Fraction(FractionDigits);
        var parts = new List<Term>();
        for (var i = 0; i < fraction.Length; i++)
        {
            if (fraction[i] < '9')
                parts.Add(Term.Sequence(Point, Term.Text(fraction[..i]), Term.Digits(fraction[i] - '0' + 1, 9), Digits(0, FractionDigits)));
        }

        parts.Add(Term.Sequence(Point, Term.Text(fraction), isExclusive ? above : Digits(0, FractionDigits)));
        return new TermChoice(parts);
    }

    /// <summary>Null where nothing is below.</summary>
    private static Term? FractionAtMost(string fraction, bool isExclusive)
    {
        if (fraction.Length == 0) return isExclusive ? null : Term.Optional(Term.Sequence(Point, Zeros(1, FractionDigits)));
        var parts = new List<Term> { Term.Empty };
        for (var i = 0; i < fraction.Length; i++)
        {
            // A text that stops early has zeros from there on, and a bound's last digit is none.
            if (i > 0) parts.Add(Term.Sequence(Point, Term.Text(fraction[..i])));
            if (fraction[i] > '0') parts.Add(Term.Sequence(Point, Term.Text(fraction[..i]), Term.Digits(0, fraction[i] - '0' - 1), Digits(0, FractionDigits)));
        }

        if (!isExclusive) parts.Add(Term.Sequence(Point, Term.Text(fraction), Zeros(0, FractionDigits)));
        return new TermChoice(parts);
    }

    /// <summary>Integers that are not negative, without leading zeros.</summary>
    private static Term Between(BigInteger low, BigInteger high)
    {
        var parts = new List<Term>();
        var (from, to) = (Text(low), Text(high));
        if (low > high) return new TermChoice(parts);
        for (var length = from.Length; length <= to.Length; length++)
        {
            var first = length == from.Length ? from : "1" + new string('0', length - 1);
            var last = length == to.Length ? to : new string('9', length);
            parts.Add(SameLength(first, last));
        }

        return new TermChoice(parts);
    }

    private static Term SameLength(string low, string high)
    {
        if (low.All(digit => digit == '0') && high.All(digit => digit == '9')) return Digits(low.Length, low.Length);
        var (first, last) = (low[0] - '0', high[0] - '0');
        if (first == last) return Term.Sequence(Term.Digits(first, first), SameLength(low[1..], high[1..]));
        var rest = low.Length - 1;
        var parts = new List<Term>
        {
            Term.Sequence(Term.Digits(first, first), SameLength(low[1..], new string('9', rest))),
            Term.Sequence(Term.Digits(last, last), SameLength(new string('0', rest), high[1..])),
        };
        if (last - first > 1) parts.Add(Term.Sequence(Term.Digits(first + 1, last - 1), Digits(rest, rest)));
        return new TermChoice(parts);
    }

    private static Term Digits(int min, int max) => Term.Repeat(Term.Digit, min, max);

    private static Term Zeros(int min, int max) => Term.Repeat(Term.Text("0"), min, max);

    private static string Text(BigInteger value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
