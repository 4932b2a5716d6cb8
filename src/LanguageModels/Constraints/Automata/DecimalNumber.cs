using System.Globalization;
using System.Numerics;

namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>A JSON number's exact value: sign, whole part and fraction in digits, without leading or trailing zeros. Equal values are equal.</summary>
/// <param name="Whole"><c>0</c> or digits without a leading zero.</param>
/// <param name="Fraction">Digits without a trailing zero; empty for none.</param>
internal readonly record struct DecimalNumber(bool IsNegative, string Whole, string Fraction) : IComparable<DecimalNumber>
{
    // A double's extremes have 309 digits before the point; bounds and values beyond 400 are hostile.
    private const int MaxDigits = 400;

    public bool IsZero => Whole == "0" && Fraction.Length == 0;

    public bool IsInteger => Fraction.Length == 0;

    /// <param name="text">A JSON number.</param>
    /// <returns>Null for one with more digits than are handled.</returns>
    public static DecimalNumber? Parse(string text)
    {
        var isNegative = text[0] == '-';
        var mark = text.AsSpan().IndexOfAny('e', 'E');
        var exponent = 0;
        if (mark >= 0 && !int.TryParse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return null;
        var mantissa = text[(isNegative ? 1 : 0)..(mark < 0 ? text.Length : mark)];
        var point = mantissa.IndexOf('.');
        var (whole, fraction) = point < 0 ? (mantissa, "") : (mantissa[..point], mantissa[(point + 1)..]);
        if (whole.Length + fraction.Length > MaxDigits || Math.Abs((long)exponent) > MaxDigits) return null;
        var digits = whole + fraction;
        var split = whole.Length + exponent;
        if (split < 0) (digits, split) = (new string('0', -split) + digits, 0);
        if (split > digits.Length) digits = digits.PadRight(split, '0');
        whole = digits[..split].TrimStart('0');
        fraction = digits[split..].TrimEnd('0');
        var isZero = whole.Length == 0 && fraction.Length == 0;
        return new DecimalNumber(isNegative && !isZero, whole.Length == 0 ? "0" : whole, fraction);
    }

    public BigInteger Floor()
    {
        var whole = BigInteger.Parse(Whole, CultureInfo.InvariantCulture);
        if (!IsNegative) return whole;
        return IsInteger ? -whole : -whole - 1;
    }

    public BigInteger Ceiling() => IsInteger ? Floor() : Floor() + 1;

    public DecimalNumber Magnitude() => this with { IsNegative = false };

    public int CompareTo(DecimalNumber other)
    {
        if (IsNegative != other.IsNegative) return IsNegative ? -1 : 1;
        var order = Whole.Length != other.Whole.Length ? Whole.Length.CompareTo(other.Whole.Length) : string.CompareOrdinal(Whole, other.Whole);
        // Digits of unequal length compare like the shorter one padded with zeros, since none ends in a zero.
        if (order == 0) order = string.CompareOrdinal(Fraction, other.Fraction);
        return IsNegative ? -order : order;
    }

    public static bool operator <(DecimalNumber left, DecimalNumber right) => left.CompareTo(right) < 0;

    public static bool operator >(DecimalNumber left, DecimalNumber right) => left.CompareTo(right) > 0;

    public static bool operator <=(DecimalNumber left, DecimalNumber right) => left.CompareTo(right) <= 0;

    public static bool operator >=(DecimalNumber left, DecimalNumber right) => left.CompareTo(right) >= 0;

    public override string ToString() => (IsNegative ? "-" : "") + Whole + (Fraction.Length > 0 ? "." + Fraction : "");
}
