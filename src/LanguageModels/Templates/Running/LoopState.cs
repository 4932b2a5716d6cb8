using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Running;

/// <summary>What <c>loop</c> stands for inside of a loop.</summary>
internal sealed class LoopState(IReadOnlyList<object?> items, int depth)
{
    private static readonly object NothingYet = new();

    private object? _before = NothingYet;

    public int Index { get; set; }

    public int Depth => depth;

    public object? Member(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => items.Count - Index - 1L,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => (long)depth,
        "depth0" => depth - 1L,
        "previtem" => Index > 0 ? items[Index - 1] : new Undefined("loop.previtem"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new Undefined("loop.nextitem"),
        "cycle" => new TemplateFunction("loop.cycle", Cycle),
        "changed" => new TemplateFunction("loop.changed", Changed),
        _ => new Undefined("loop." + name),
    };

    private object? Cycle(CallArguments arguments) =>
        arguments.Positional.Count > 0 ? arguments.Positional[Index % arguments.Positional.Count] : throw new TemplateFault("loop.cycle needs something to cycle through");

    private object Changed(CallArguments arguments)
    {
        object?[] now = [.. arguments.Positional];
        var changed = _before == NothingYet || !Truth.Equal(_before, now, arguments.Budget);
        _before = now;
        return changed;
    }
}
