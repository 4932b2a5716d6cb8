using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Templates.Running;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>The names that a template finds: what transformers gives to one, and Jinja's own functions.</summary>
internal static class TemplateGlobals
{
    // Jinja's own limit where templates are not trusted.
    private const int MaxRange = 100_000;

    public static Scope Of(ChatTemplateInput input, Budget budget)
    {
        var functions = new Scope(null);
        Add(functions, "range", Range);
        Add(functions, "namespace", Namespace);
        Add(functions, "dict", Map);
        Add(functions, "raise_exception", arguments => throw new TemplateFault($"the template refuses this: {PythonText.Of(arguments.Get(0, "message"))}"));
        Add(functions, "strftime_now", arguments => PythonTime.Format(arguments.Text(0, "format"), input.Now));

        var scope = new Scope(functions);
        try
        {
            foreach (var (name, value) in input.Variables) scope[name] = Value(value, budget);
            scope["messages"] = Value(input.Messages, budget);
            scope["tools"] = input.Tools is { } tools ? Value(tools, budget) : null;
            if (!input.Variables.ContainsKey("documents")) scope["documents"] = null;
            scope["add_generation_prompt"] = input.AddGenerationPrompt;
            scope["bos_token"] = input.BosToken;
            scope["eos_token"] = input.EosToken;
        }
        catch (TemplateFault fault)
        {
            throw new ChatTemplateException(fault.Message);
        }

        return new Scope(scope);
    }

    private static void Add(Scope scope, string name, Func<CallArguments, object?> function) => scope[name] = new TemplateFunction(name, function);

    private static object? Value(JsonElement value, Budget budget)
    {
        budget.Step();
        switch (value.ValueKind)
        {
            case JsonValueKind.Null or JsonValueKind.Undefined: return null;
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.String: return Text(value.GetString);
            case JsonValueKind.Number: return Number(value);
            case JsonValueKind.Array:
                var list = new List<object?>(value.GetArrayLength());
                foreach (var item in value.EnumerateArray()) list.Add(Value(item, budget));
                return list;
            default:
                var map = new TemplateMap();
                foreach (var property in value.EnumerateObject()) map[Text(() => property.Name)] = Value(property.Value, budget);
                return map;
        }
    }

    private static string Text(Func<string?> read)
    {
        try
        {
            return read()!;
        }
        catch (InvalidOperationException)
        {
            throw new TemplateFault("a text of the messages is not well-formed Unicode");
        }
    }

    private static object Number(JsonElement value)
    {
        var written = value.GetRawText();
        if (value.TryGetInt64(out var whole) && written.AsSpan().IndexOfAny('.', 'e', 'E') < 0) return whole;
        return written.AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? new LargeNumber(written) : value.GetDouble();
    }

    private static List<object?> Range(CallArguments arguments)
    {
        arguments.Only(3);
        var several = arguments.Positional.Count > 1;
        var start = several ? arguments.Number(0, "start", 0) : 0;
        var stop = arguments.Number(several ? 1 : 0, "stop", 0);
        var step = arguments.Number(2, "step", 1);
        if (step == 0) throw new TemplateFault("range: the step cannot be zero");
        var distance = (decimal)stop - start;
        var count = Math.Ceiling(distance / step);
        if (count > MaxRange) throw new TemplateFault($"range: more than {MaxRange} numbers");
        arguments.Budget.Steps((int)Math.Max(0, count));
        var numbers = new List<object?>();
        for (var index = 0; index < count; index++) numbers.Add(start + (index * step));
        return numbers;
    }

    private static TemplateNamespace Namespace(CallArguments arguments)
    {
        var space = new TemplateNamespace();
        if (arguments.Positional is [TemplateMap map])
            foreach (var (key, value) in map) space.Values[PythonText.Of(key)] = value;
        else arguments.Only(0, [.. arguments.Named.Select(each => each.Name)]);
        foreach (var (name, value) in arguments.Named) space.Values[name] = value;
        return space;
    }

    private static TemplateMap Map(CallArguments arguments)
    {
        var map = new TemplateMap();
        if (arguments.Positional is [TemplateMap other])
            foreach (var (key, value) in other) map[key] = value;
        else arguments.Only(0, [.. arguments.Named.Select(each => each.Name)]);
        foreach (var (name, value) in arguments.Named) map[name] = value;
        return map;
    }
}
