using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/*
 * What a template computes with, by Python's names:
 *   None: null; bool: bool; int: long; float: double; str: string; list: List<object?>; tuple: object?[];
 *   dict: TemplateMap; namespace: TemplateNamespace; function or macro: TemplateFunction; a name that stands for nothing: Undefined.
 */

/// <summary>What a name or member that does not exist stands for: prints as nothing, is false, and cannot be looked into.</summary>
internal sealed record Undefined(string Name);

/// <summary>A whole number that needs more than 64 bits: it can be printed, nothing else.</summary>
internal sealed record LargeNumber(string Digits);

/// <summary>A mapping that keeps the order of its keys, which are texts, numbers or Booleans.</summary>
internal sealed class TemplateMap : OrderedDictionary<object, object?>;

/// <summary>The one thing that a loop's body can change for good.</summary>
internal sealed class TemplateNamespace
{
    public Dictionary<string, object?> Values { get; } = [];
}

internal sealed record TemplateFunction(string Name, Func<CallArguments, object?> Call);

/// <summary>Arguments of a call, evaluated.</summary>
internal sealed class CallArguments(string callee, Budget budget, IReadOnlyList<object?> positional, IReadOnlyList<(string Name, object? Value)> named)
{
    private static readonly object Missing = new();

    public string Callee => callee;

    public Budget Budget => budget;

    public IReadOnlyList<object?> Positional => positional;

    public IReadOnlyList<(string Name, object? Value)> Named => named;

    public bool Has(int index, string name) => Find(index, name) != Missing;

    public object? Get(int index, string name) => Find(index, name) is var value && value != Missing ? value : throw new TemplateFault($"{callee} needs '{name}'");

    public object? Get(int index, string name, object? otherwise) => Find(index, name) is var value && value != Missing ? value : otherwise;

    public string Text(int index, string name) =>
        Get(index, name) as string ?? throw new TemplateFault($"{callee}: '{name}' must be a text");

    public string? TextOrNone(int index, string name) => Get(index, name, null) switch
    {
        null => null,
        string text => text,
        _ => throw new TemplateFault($"{callee}: '{name}' must be a text"),
    };

    public long Number(int index, string name, long otherwise) => Get(index, name, otherwise) switch
    {
        long number => number,
        bool flag => flag ? 1 : 0,
        _ => throw new TemplateFault($"{callee}: '{name}' must be a whole number"),
    };

    public bool Flag(int index, string name, bool otherwise) => Truth.Of(Get(index, name, otherwise));

    /// <summary>Refuses more arguments than the callee knows, and names that it does not.</summary>
    public void Only(int most, params ReadOnlySpan<string> names)
    {
        if (positional.Count > most) throw new TemplateFault($"{callee} takes at most {most} arguments");
        foreach (var (name, _) in named)
            if (!names.Contains(name)) throw new TemplateFault($"{callee} has no argument '{name}'");
    }

    private object? Find(int index, string name)
    {
        if (index < positional.Count) return positional[index];
        foreach (var (each, value) in named)
            if (each == name) return value;
        return Missing;
    }
}
