using System.Globalization;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>What may follow a backslash and stands for one code point of a set; the same inside and outside of brackets.</summary>
internal static class PatternEscapes
{
    /// <summary>A set for a shorthand or property, or a single code point; the backslash is taken already.</summary>
    public static (CodePointSet? Set, int Point) Read(PatternScanner scanner, bool inClass)
    {
        var letter = scanner.Next();
        return letter switch
        {
            's' => (UnicodeSets.Space, 0),
            'S' => (UnicodeSets.Space.Not(), 0),
            'd' => (UnicodeSets.Digit, 0),
            'D' => (UnicodeSets.Digit.Not(), 0),
            'w' => (inClass ? UnicodeSets.Word : UnicodeSets.LooseWord, 0),
            'W' => ((inClass ? UnicodeSets.Word : UnicodeSets.LooseWord).Not(), 0),
            'h' => (UnicodeSets.HexDigit, 0),
            'H' => (UnicodeSets.HexDigit.Not(), 0),
            'p' or 'P' => (Property(scanner, letter == 'P'), 0),
            'n' => (null, '\n'),
            'r' => (null, '\r'),
            't' => (null, '\t'),
            'f' => (null, '\f'),
            'v' => (null, '\v'),
            'a' => (null, '\a'),
            'e' => (null, 0x1B),
            'x' => (null, HexPoint(scanner)),
            'u' => (null, Hex(scanner, 4)),
            _ when letter < 128 && char.IsAsciiLetterOrDigit((char)letter) => throw scanner.Refuse($"\\{(char)letter}"),
            _ => (null, letter),
        };
    }

    private static CodePointSet Property(PatternScanner scanner, bool negative)
    {
        if (!scanner.Take('{')) throw scanner.Refuse("a property without braces");
        if (scanner.Take('^')) negative = !negative;
        var name = scanner.Until('}');
        var set = UnicodeSets.Find(name) ?? throw scanner.Refuse($"the property '{name}'");
        return negative ? set.Not() : set;
    }

    private static int HexPoint(PatternScanner scanner)
    {
        if (!scanner.Take('{')) return Hex(scanner, 2);
        var digits = scanner.Until('}');
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point) && point is >= 0 and <= CodePoints.Highest
            ? point
            : throw scanner.Refuse($"the code point '{digits}'");
    }

    private static int Hex(PatternScanner scanner, int digits)
    {
        var point = 0;
        for (var index = 0; index < digits; index++)
        {
            var digit = scanner.Next();
            if (digit >= 128 || !char.IsAsciiHexDigit((char)digit)) throw scanner.Refuse("a hexadecimal digit was expected");
            point = point * 16 + Convert.ToInt32(((char)digit).ToString(), 16);
        }

        return point;
    }
}
