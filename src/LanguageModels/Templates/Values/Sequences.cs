using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/// <summary>Values as rows of values, their places and slices.</summary>
internal static class Sequences
{
    /// <summary>What a loop goes through: items, letters, or keys.</summary>
    public static IReadOnlyList<object?> Items(object? value, Budget budget)
    {
        if (value is string text) budget.Steps(text.Length);
        else budget.Touch(value);
        return Items(value);
    }

    private static IReadOnlyList<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        object?[] tuple => tuple,
        string text => PythonText.Letters(text),
        TemplateMap map => [.. map.Keys],
        Undefined => [],
        _ => throw new TemplateFault($"{Truth.Kind(value)} is not a list"),
    };

    public static long Length(object? value) => value switch
    {
        string text => PythonText.Length(text),
        List<object?> list => list.Count,
        object?[] tuple => tuple.Length,
        TemplateMap map => map.Count,
        Undefined => 0,
        _ => throw new TemplateFault($"{Truth.Kind(value)} has no length"),
    };

    /// <summary>The item at a place, counted from the end where negative; false where there is none.</summary>
    public static bool TryItem(object? value, long index, Budget budget, out object? item)
    {
        item = null;
        if (value is not (string or List<object?> or object?[])) return false;
        var items = value is string ? Items(value, budget) : Items(value);
        if (index < 0) index += items.Count;
        if (index < 0 || index >= items.Count) return false;
        item = items[(int)index];
        return true;
    }

    public static object? Slice(object? value, long? start, long? stop, long? step, Budget budget)
    {
        if (value is Undefined or null or TemplateMap) throw new TemplateFault($"{Truth.Kind(value)} cannot be sliced");
        if (step == 0) throw new TemplateFault("a slice's step cannot be zero");
        var items = Items(value, budget);
        var chosen = new List<object?>();
        var width = step ?? 1;
        var (low, high) = width > 0 ? (0, items.Count) : (-1, items.Count - 1);
        var at = Clamp(start, width > 0 ? low : high);
        var end = Clamp(stop, width > 0 ? high : low);
        for (; width > 0 ? at < end : at > end; at += width) chosen.Add(items[(int)at]);
        return value switch
        {
            string => string.Concat(chosen),
            object?[] => chosen.ToArray(),
            _ => chosen,
        };

        long Clamp(long? place, long otherwise)
        {
            if (place is not { } given) return otherwise;
            return Math.Clamp(given < 0 ? given + items.Count : given, low, high);
        }
    }
}
