using System.Runtime.CompilerServices;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/// <summary>Truth, equality and order, as Python has them.</summary>
internal static class Truth
{
    public static bool Of(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        object?[] tuple => tuple.Length > 0,
        TemplateMap map => map.Count > 0,
        _ => true,
    };

    public static bool Equal(object? left, object? right, Budget budget)
    {
        budget.Step();
        if (left is long whole && right is long other) return whole == other;
        if (Numbers(left, right, out var first, out var second)) return left is double || right is double ? (double)first == (double)second : first == second;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new TemplateFault("values nested too deep to compare");
        return (left, right) switch
        {
            (null, null) => true,
            (Undefined, Undefined) => true,
            (string a, string b) => a == b,
            (List<object?> a, List<object?> b) => EqualAll(a, b, budget),
            (object?[] a, object?[] b) => EqualAll(a, b, budget),
            (TemplateMap a, TemplateMap b) => a.Count == b.Count && a.All(each => b.TryGetValue(each.Key, out var value) && Equal(each.Value, value, budget)),
            (LargeNumber a, LargeNumber b) => a == b,
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Below zero, zero or above.</summary>
    public static int Compare(object? left, object? right, Budget budget)
    {
        budget.Step();
        if (Numbers(left, right, out var first, out var second))
            return left is double || right is double ? ((double)first).CompareTo((double)second) : first.CompareTo(second);
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new TemplateFault("values nested too deep to compare");
        return (left, right) switch
        {
            (string a, string b) => string.CompareOrdinal(a, b),
            (List<object?> a, List<object?> b) => CompareAll(a, b, budget),
            (object?[] a, object?[] b) => CompareAll(a, b, budget),
            _ => throw new TemplateFault($"{Kind(left)} and {Kind(right)} have no order"),
        };
    }

    public static string Kind(object? value) => value switch
    {
        null => "none",
        Undefined undefined => $"'{undefined.Name}', which is undefined,",
        bool => "a Boolean",
        long or LargeNumber => "a whole number",
        double => "a number",
        string => "a text",
        List<object?> => "a list",
        object?[] => "a tuple",
        TemplateMap => "a mapping",
        TemplateNamespace => "a namespace",
        TemplateFunction function => $"the function '{function.Name}'",
        _ => "a loop",
    };

    private static bool EqualAll(IReadOnlyList<object?> left, IReadOnlyList<object?> right, Budget budget)
    {
        if (left.Count != right.Count) return false;
        for (var index = 0; index < left.Count; index++)
            if (!Equal(left[index], right[index], budget)) return false;
        return true;
    }

    private static int CompareAll(IReadOnlyList<object?> left, IReadOnlyList<object?> right, Budget budget)
    {
        for (var index = 0; index < Math.Min(left.Count, right.Count); index++)
            if (!Equal(left[index], right[index], budget)) return Compare(left[index], right[index], budget);
        return left.Count.CompareTo(right.Count);
    }

    private static bool Numbers(object? left, object? right, out decimal first, out decimal second)
    {
        second = 0;
        return Number(left, out first) && Number(right, out second);
    }

    // Whole numbers exactly; the others as far as they go, which is enough for what templates compare.
    private static bool Number(object? value, out decimal number)
    {
        number = 0;
        switch (value)
        {
            case long whole: number = whole; return true;
            case bool flag: number = flag ? 1 : 0; return true;
            case double real when Math.Abs(real) < 1e28: number = (decimal)real; return true;
            default: return false;
        }
    }
}
