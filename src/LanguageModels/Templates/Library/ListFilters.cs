using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>Filters over rows of values.</summary>
internal static class ListFilters
{
    public static IReadOnlyDictionary<string, Func<object?, CallArguments, object?>> All { get; } = new Dictionary<string, Func<object?, CallArguments, object?>>
    {
        ["list"] = (value, arguments) => Items(value, arguments).ToList(),
        ["items"] = ToPairs,
        ["first"] = (value, arguments) => Items(value, arguments) is { Count: > 0 } items ? items[0] : new Undefined("the first of nothing"),
        ["last"] = (value, arguments) => Items(value, arguments) is { Count: > 0 } items ? items[^1] : new Undefined("the last of nothing"),
        ["join"] = Join,
        ["reverse"] = (value, arguments) => value is string text ? string.Concat(PythonText.Letters(text).AsEnumerable().Reverse()) : Items(value, arguments).Reverse().ToList(),
        ["map"] = Map,
        ["select"] = (value, arguments) => Choose(value, arguments, attribute: false, wanted: true),
        ["reject"] = (value, arguments) => Choose(value, arguments, attribute: false, wanted: false),
        ["selectattr"] = (value, arguments) => Choose(value, arguments, attribute: true, wanted: true),
        ["rejectattr"] = (value, arguments) => Choose(value, arguments, attribute: true, wanted: false),
        ["sort"] = Sort,
        ["dictsort"] = SortPairs,
        ["unique"] = Unique,
        ["sum"] = Sum,
        ["min"] = (value, arguments) => Extreme(value, arguments, sign: -1),
        ["max"] = (value, arguments) => Extreme(value, arguments, sign: 1),
    };

    private static IReadOnlyList<object?> Items(object? value, CallArguments arguments) => Sequences.Items(value, arguments.Budget);

    private static List<object?> ToPairs(object? value, CallArguments arguments) => value switch
    {
        TemplateMap map => Members.Pairs(map, arguments.Budget),
        Undefined => [],
        _ => throw new TemplateFault($"items: {Truth.Kind(value)} is no mapping"),
    };

    private static string Join(object? value, CallArguments arguments)
    {
        var items = Items(value, arguments);
        if (arguments.Has(1, "attribute")) items = [.. items.Select(item => Members.Path(item, arguments.Get(1, "attribute"), arguments.Budget))];
        return TextMethods.Join(PythonText.Of(arguments.Get(0, "d", "")), items, arguments.Budget, strict: false);
    }

    // Either an attribute of each, or a filter over each.
    private static List<object?> Map(object? value, CallArguments arguments)
    {
        var items = Items(value, arguments);
        if (arguments.Positional.Count == 0)
        {
            arguments.Only(0, "attribute", "default");
            var path = arguments.Get(0, "attribute");
            var otherwise = arguments.Get(1, "default", null);
            return [.. items.Select(item => Members.Path(item, path, arguments.Budget) is var found && found is Undefined && otherwise is not null ? otherwise : found)];
        }

        var name = arguments.Text(0, "filter");
        if (!Filters.All.TryGetValue(name, out var filter)) throw new TemplateFault($"the filter '{name}' is not understood");
        var rest = new CallArguments(name, arguments.Budget, [.. arguments.Positional.Skip(1)], arguments.Named);
        var results = new List<object?>(items.Count);
        foreach (var item in items)
        {
            arguments.Budget.Touch(item);
            results.Add(filter(item, rest));
        }

        return results;
    }

    private static List<object?> Choose(object? value, CallArguments arguments, bool attribute, bool wanted)
    {
        var items = Items(value, arguments);
        var path = attribute ? arguments.Get(0, "attribute") : null;
        var at = attribute ? 1 : 0;
        Func<object?, CallArguments, bool> test = (item, _) => Truth.Of(item);
        var rest = arguments;
        if (arguments.Positional.Count > at)
        {
            var name = arguments.Text(at, "test");
            if (!Tests.All.TryGetValue(name, out test!)) throw new TemplateFault($"the test '{name}' is not understood");
            rest = new CallArguments(name, arguments.Budget, [.. arguments.Positional.Skip(at + 1)], arguments.Named);
        }

        var chosen = new List<object?>();
        foreach (var item in items)
        {
            arguments.Budget.Step();
            if (test(attribute ? Members.Path(item, path, arguments.Budget) : item, rest) == wanted) chosen.Add(item);
        }

        return chosen;
    }

    // Texts are equal in either case unless asked otherwise, as in Jinja.
    private static object? Key(object? value, bool caseSensitive) => value is string text && !caseSensitive ? text.ToLowerInvariant() : value;

    private static List<object?> Sort(object? value, CallArguments arguments)
    {
        var (reverse, sensitive) = (arguments.Flag(0, "reverse", false), arguments.Flag(1, "case_sensitive", false));
        var path = arguments.Get(2, "attribute", null);
        object? Of(object? item) => Key(path is null ? item : Members.Path(item, path, arguments.Budget), sensitive);
        return Ordered(Items(value, arguments), Of, reverse, arguments.Budget);
    }

    private static List<object?> SortPairs(object? value, CallArguments arguments)
    {
        var sensitive = arguments.Flag(0, "case_sensitive", false);
        var by = arguments.TextOrNone(1, "by") ?? "key";
        if (by is not ("key" or "value")) throw new TemplateFault("dictsort: 'by' must be 'key' or 'value'");
        return Ordered(ToPairs(value, arguments), item => Key(((object?[])item!)[by == "key" ? 0 : 1], sensitive), arguments.Flag(2, "reverse", false), arguments.Budget);
    }

    // A stable sort, so that equals keep their order in both directions.
    private static List<object?> Ordered(IReadOnlyList<object?> items, Func<object?, object?> key, bool reverse, Budget budget)
    {
        var keyed = items.Select(item => (Key: key(item), Item: item)).ToArray();
        var order = Comparer<object?>.Create((left, right) => Truth.Compare(left, right, budget));
        var sorted = reverse ? keyed.OrderByDescending(each => each.Key, order) : keyed.OrderBy(each => each.Key, order);
        try
        {
            return [.. sorted.Select(each => each.Item)];
        }
        catch (InvalidOperationException error) when (error.InnerException is TemplateFault fault)
        {
            throw fault;
        }
    }

    private static List<object?> Unique(object? value, CallArguments arguments)
    {
        var sensitive = arguments.Flag(0, "case_sensitive", false);
        var path = arguments.Get(1, "attribute", null);
        var (kept, keys) = (new List<object?>(), new List<object?>());
        foreach (var item in Items(value, arguments))
        {
            var key = Key(path is null ? item : Members.Path(item, path, arguments.Budget), sensitive);
            if (keys.Exists(each => Truth.Equal(each, key, arguments.Budget))) continue;
            keys.Add(key);
            kept.Add(item);
        }

        return kept;
    }

    private static object? Sum(object? value, CallArguments arguments)
    {
        var path = arguments.Get(0, "attribute", null);
        var sum = arguments.Get(1, "start", 0L);
        foreach (var item in Items(value, arguments))
            sum = Operators.Apply("+", sum, path is null ? item : Members.Path(item, path, arguments.Budget), arguments.Budget);
        return sum;
    }

    private static object? Extreme(object? value, CallArguments arguments, int sign)
    {
        var items = Items(value, arguments);
        if (items.Count == 0) return new Undefined("the extreme of nothing");
        var best = items[0];
        foreach (var item in items)
            if (Truth.Compare(Key(item, false), Key(best, false), arguments.Budget) * sign > 0) best = item;
        return best;
    }
}
