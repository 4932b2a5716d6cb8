using System.Globalization;
using System.Text;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/// <summary>Values as text: Python's <c>str</c> and <c>repr</c>.</summary>
internal static class PythonText
{
    private const int MaxDepth = 64;

    public static string Of(object? value) => value as string ?? (value is Undefined ? "" : Written(value));

    public static string Number(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        if (number == 0) return double.IsNegative(number) ? "-0.0" : "0.0";
        // Shortest digits that read back, as Python has them; exponents from 1e16 on and below 1e-4.
        var text = number.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        var exponent = int.Parse(text.AsSpan(text.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = Digits(shortest);
        var sign = number < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var rest = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{rest}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        if (digits.Length <= exponent + 1) return $"{sign}{digits.PadRight(exponent + 1, '0')}.0";
        return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>Code points, which are what Python counts and slices.</summary>
    public static int Length(string text)
    {
        var pairs = 0;
        for (var at = 0; at + 1 < text.Length; at++)
            if (char.IsHighSurrogate(text[at]) && char.IsLowSurrogate(text[at + 1])) pairs++;
        return text.Length - pairs;
    }

    /// <summary>Each code point as a text.</summary>
    public static List<string> Letters(string text)
    {
        var letters = new List<string>(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            var pair = at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
            letters.Add(text.Substring(at, pair ? 2 : 1));
            if (pair) at++;
        }

        return letters;
    }

    public static bool IsSpace(char letter) => char.IsWhiteSpace(letter) || letter is >= '\u001C' and <= '\u001F';

    private static string Digits(string shortest)
    {
        var mantissa = shortest.Split('E')[0].Replace("-", "").Replace(".", "").TrimStart('0').TrimEnd('0');
        return mantissa.Length == 0 ? "0" : mantissa;
    }

    private static string Written(object? value)
    {
        var text = new StringBuilder();
        Write(value, text, 0);
        return text.ToString();
    }

    private static void Write(object? value, StringBuilder text, int depth)
    {
        if (depth > MaxDepth) throw new TemplateFault($"a value nested more than {MaxDepth} deep cannot be printed");
        if (text.Length > Budget.MaxText) throw new TemplateFault($"a text of more than {Budget.MaxText} letters");
        switch (value)
        {
            case null: text.Append("None"); break;
            case bool flag: text.Append(flag ? "True" : "False"); break;
            case long number: text.Append(number); break;
            case LargeNumber number: text.Append(number.Digits); break;
            case double number: text.Append(Number(number)); break;
            case string quoted: Quote(quoted, text); break;
            case List<object?> list: WriteItems('[', list, ']', text, depth); break;
            case object?[] tuple: WriteItems('(', tuple, ')', text, depth); break;
            case TemplateMap map: WriteMap(map, text, depth); break;
            default: throw new TemplateFault($"{Truth.Kind(value)} cannot be printed");
        }
    }

    private static void WriteItems(char open, IReadOnlyList<object?> items, char close, StringBuilder text, int depth)
    {
        text.Append(open);
        for (var index = 0; index < items.Count; index++)
        {
            if (index > 0) text.Append(", ");
            Write(items[index], text, depth + 1);
        }

        if (open == '(' && items.Count == 1) text.Append(',');
        text.Append(close);
    }

    private static void WriteMap(TemplateMap map, StringBuilder text, int depth)
    {
        text.Append('{');
        var first = true;
        foreach (var (key, value) in map)
        {
            if (!first) text.Append(", ");
            first = false;
            Write(key, text, depth + 1);
            text.Append(": ");
            Write(value, text, depth + 1);
        }

        text.Append('}');
    }

    private static void Quote(string value, StringBuilder text)
    {
        var quote = value.Contains('\'') && !value.Contains('"') ? '"' : '\'';
        text.Append(quote);
        foreach (var letter in value)
        {
            switch (letter)
            {
                case '\\': text.Append(@"\\"); break;
                case '\n': text.Append(@"\n"); break;
                case '\r': text.Append(@"\r"); break;
                case '\t': text.Append(@"\t"); break;
                case var each when each == quote: text.Append('\\').Append(each); break;
                case < ' ' or '\u007F': text.Append($"\\x{(int)letter:x2}"); break;
                default: text.Append(letter); break;
            }
        }

        text.Append(quote);
    }
}
