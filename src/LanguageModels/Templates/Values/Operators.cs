using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/// <summary>Operators on two values that are there already.</summary>
internal static class Operators
{
    public static object? Apply(string name, object? left, object? right, Budget budget)
    {
        if (name == "~") return Joined(PythonText.Of(left), PythonText.Of(right), budget);
        if (left is bool flag) left = flag ? 1L : 0L;
        if (right is bool other) right = other ? 1L : 0L;
        return (name, left, right) switch
        {
            ("+", string a, string b) => Joined(a, b, budget),
            ("+", List<object?> a, List<object?> b) => Lists(a, b, budget),
            ("+", object?[] a, object?[] b) => Lists(a, b, budget).ToArray(),
            ("*", string a, long b) => Repeated(a, b, budget),
            ("*", long a, string b) => Repeated(b, a, budget),
            (_, long a, long b) => Whole(name, a, b),
            (_, long a, double b) => Real(name, a, b),
            (_, double a, long b) => Real(name, a, b),
            (_, double a, double b) => Real(name, a, b),
            _ => throw new TemplateFault($"'{name}' is not understood between {Truth.Kind(left)} and {Truth.Kind(right)}"),
        };
    }

    public static object Negate(object? value) => value switch
    {
        bool flag => (object)(flag ? -1L : 0L),
        long number => number == long.MinValue ? throw new TemplateFault("a number is too large") : -number,
        double number => -number,
        _ => throw new TemplateFault($"{Truth.Kind(value)} has no negative"),
    };

    public static bool Contains(object? container, object? value, Budget budget) => container switch
    {
        string text => value is string part ? budget.Scan(text).Contains(part, StringComparison.Ordinal) : throw new TemplateFault($"{Truth.Kind(value)} cannot be in a text"),
        List<object?> list => list.Exists(each => Truth.Equal(each, value, budget)),
        object?[] tuple => Array.Exists(tuple, each => Truth.Equal(each, value, budget)),
        TemplateMap map => value is not null && map.ContainsKey(value),
        Undefined => false,
        _ => throw new TemplateFault($"nothing can be in {Truth.Kind(container)}"),
    };

    public static bool Compare(string name, object? left, object? right, Budget budget) => name switch
    {
        "==" => Truth.Equal(left, right, budget),
        "!=" => !Truth.Equal(left, right, budget),
        "in" => Contains(right, left, budget),
        "not in" => !Contains(right, left, budget),
        "<" => Truth.Compare(left, right, budget) < 0,
        ">" => Truth.Compare(left, right, budget) > 0,
        "<=" => Truth.Compare(left, right, budget) <= 0,
        _ => Truth.Compare(left, right, budget) >= 0,
    };

    private static string Joined(string left, string right, Budget budget)
    {
        budget.Letters((long)left.Length + right.Length);
        return left + right;
    }

    private static List<object?> Lists(IReadOnlyCollection<object?> left, IReadOnlyCollection<object?> right, Budget budget)
    {
        budget.Steps(left.Count + right.Count);
        return [.. left, .. right];
    }

    private static string Repeated(string text, long count, Budget budget)
    {
        if (count <= 0 || text.Length == 0) return "";
        budget.Letters(count > Budget.MaxText ? long.MaxValue : text.Length * count);
        return string.Concat(Enumerable.Repeat(text, (int)count));
    }

    private static object Whole(string name, long left, long right)
    {
        try
        {
            return name switch
            {
                "+" => checked(left + right),
                "-" => checked(left - right),
                "*" => checked(left * right),
                "//" when right != 0 => checked(left / right) - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0),
                "%" when right == -1 => 0L,
                "%" when right != 0 => left % right is var rest && rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest,
                "**" when right >= 0 => Power(left, right),
                _ => Real(name, left, right),
            };
        }
        catch (OverflowException)
        {
            throw new TemplateFault("a number is too large");
        }
    }

    private static long Power(long value, long exponent)
    {
        if (value is 0 or 1) return exponent == 0 ? 1 : value;
        if (value == -1) return exponent % 2 == 0 ? 1 : -1;
        var power = 1L;
        for (; exponent > 0; exponent--) power = checked(power * value);
        return power;
    }

    private static object Real(string name, double left, double right)
    {
        if (right == 0 && name is "/" or "//" or "%") throw new TemplateFault("a division by zero");
        return name switch
        {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            "//" => Math.Floor(left / right),
            "%" => left - (right * Math.Floor(left / right)),
            _ => Math.Pow(left, right),
        };
    }
}
