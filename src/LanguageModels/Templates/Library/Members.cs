using OpenGradient.Engine.LanguageModels.Templates.Running;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>What <c>a.b</c> and <c>a[b]</c> stand for. What does not exist is undefined; looking into what is undefined is an error.</summary>
internal static class Members
{
    private static readonly string[] Changing = ["append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "setdefault", "popitem"];

    /// <param name="dotted">Methods come before the entries of a mapping.</param>
    public static object? Find(object? target, object? key, bool dotted, Budget budget)
    {
        if (target is Undefined undefined) throw new TemplateFault($"'{undefined.Name}' is undefined and has no '{PythonText.Of(key)}'");
        if (key is long index && Sequences.TryItem(target, index, budget, out var item)) return item;
        if (!dotted && Entry(target, key, out var entry)) return entry;
        if (key is string name && Method(target, name) is { } method) return method;
        return Entry(target, key, out entry) ? entry : new Undefined(PythonText.Of(key));
    }

    /// <summary>A path of names with dots, as filters take it.</summary>
    public static object? Path(object? target, object? path, Budget budget)
    {
        if (path is not string names) return Find(target, path, dotted: false, budget);
        foreach (var name in names.Split('.'))
            target = Find(target, long.TryParse(name, out var index) ? index : name, dotted: false, budget);
        return target;
    }

    private static bool Entry(object? target, object? key, out object? value)
    {
        value = null;
        switch (target)
        {
            case TemplateMap map: return key is string or long or bool or double && map.TryGetValue(key, out value);
            case TemplateNamespace space: return key is string name && space.Values.TryGetValue(name, out value);
            case LoopState loop:
                value = key is string member ? loop.Member(member) : null;
                return key is string;
            default: return false;
        }
    }

    private static TemplateFunction? Method(object? target, string name)
    {
        switch (target)
        {
            case string text when TextMethods.All.TryGetValue(name, out var method):
                return new TemplateFunction(name, arguments => method(arguments.Budget.Scan(text), arguments));
            case TemplateMap map when MapMethod(map, name) is { } method:
                return new TemplateFunction(name, method);
            case List<object?> or object?[] when name is "index" or "count":
                return new TemplateFunction(name, arguments => Search(target, name, arguments));
            case List<object?> or object?[] or TemplateMap when Changing.Contains(name) && !(target is TemplateMap map && map.ContainsKey(name)):
                throw new TemplateFault($"'{name}' would change {Truth.Kind(target)}, which templates may not");
            default:
                return null;
        }
    }

    private static Func<CallArguments, object?>? MapMethod(TemplateMap map, string name) => name switch
    {
        "items" => arguments => Pairs(map, arguments.Budget),
        "keys" => arguments => Listed(map.Keys, map.Count, arguments.Budget),
        "values" => arguments => Listed(map.Values, map.Count, arguments.Budget),
        "get" => arguments => Entry(map, arguments.Get(0, "key"), out var value) ? value : arguments.Get(1, "default", null),
        _ => null,
    };

    public static List<object?> Pairs(TemplateMap map, Budget budget)
    {
        budget.Steps(map.Count);
        return [.. map.Select(entry => (object?)new[] { entry.Key, entry.Value })];
    }

    private static List<object?> Listed(IEnumerable<object?> values, int count, Budget budget)
    {
        budget.Steps(count);
        return [.. values];
    }

    private static object Search(object? target, string name, CallArguments arguments)
    {
        var items = Sequences.Items(target, arguments.Budget);
        var wanted = arguments.Get(0, "value");
        if (name == "count") return (long)items.Count(each => Truth.Equal(each, wanted, arguments.Budget));
        for (var index = 0; index < items.Count; index++)
            if (Truth.Equal(items[index], wanted, arguments.Budget)) return (long)index;
        throw new TemplateFault("the list does not have the value that is looked for");
    }
}
