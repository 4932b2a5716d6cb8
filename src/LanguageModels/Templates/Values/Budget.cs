using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/// <summary>
/// What one rendering may use: steps, letters made on the way, and letters of the prompt. A template from a stranger can
/// loop; none can hang or fill the memory.
/// </summary>
internal sealed class Budget
{
    /// <summary>Most letters of one text: a prompt of more than four million tokens.</summary>
    public const int MaxText = 16 << 20;

    // A conversation of a thousand messages takes some ten thousand steps.
    private const int MaxSteps = 4_000_000;

    // Made on the way, all of them together: a quarter of a gigabyte if none is let go.
    private const long MaxLetters = 128L << 20;

    // Read on the way, by searches and counts.
    private const long MaxScanned = 1L << 30;

    /// <summary>Calls of macros within calls; published templates have three.</summary>
    private const int MaxCalls = 64;

    private int _steps = MaxSteps;
    private long _letters = MaxLetters;
    private long _scanned = MaxScanned;
    private int _calls;

    public void Step()
    {
        if (--_steps < 0) throw new TemplateFault($"the template takes more than {MaxSteps} steps");
    }

    public void Steps(int count)
    {
        _steps -= Math.Min(_steps + 1, count);
        if (_steps < 0) throw new TemplateFault($"the template takes more than {MaxSteps} steps");
    }

    /// <summary>Says that a text of so many letters is about to be made.</summary>
    public void Letters(long count)
    {
        if (count > MaxText) throw new TemplateFault($"a text of more than {MaxText} letters");
        _letters -= count;
        if (_letters < 0) throw new TemplateFault($"the template makes more than {MaxLetters} letters on its way");
    }

    /// <summary>Says that a text is about to be gone through; returns it.</summary>
    public string Scan(string text)
    {
        _scanned -= text.Length;
        return _scanned >= 0 ? text : throw new TemplateFault($"the template reads more than {MaxScanned} letters on its way");
    }

    /// <summary>Says that a value is about to be gone through, item by item.</summary>
    public void Touch(object? value)
    {
        switch (value)
        {
            case string text: Scan(text); break;
            case List<object?> list: Steps(list.Count); break;
            case object?[] tuple: Steps(tuple.Length); break;
            case TemplateMap map: Steps(map.Count); break;
            default: Step(); break;
        }
    }

    public void EnterCall()
    {
        if (++_calls > MaxCalls) throw new TemplateFault($"macros call one another more than {MaxCalls} deep");
    }

    public void LeaveCall() => _calls--;
}
