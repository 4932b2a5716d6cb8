namespace OpenGradient.Engine.LanguageModels.Templates.Running;

/// <summary>Names and what they stand for; what is not here is looked for outside.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public object? this[string name]
    {
        set => _values[name] = value;
    }

    public bool TryFind(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._values.TryGetValue(name, out value)) return true;
        value = null;
        return false;
    }

    private Scope? Outer => outer;
}
