using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>What may stand after <c>is</c>.</summary>
internal static class Tests
{
    public static IReadOnlyDictionary<string, Func<object?, CallArguments, bool>> All { get; } = Build();

    private static Dictionary<string, Func<object?, CallArguments, bool>> Build()
    {
        var tests = new Dictionary<string, Func<object?, CallArguments, bool>>
        {
            ["defined"] = (value, _) => value is not Undefined,
            ["undefined"] = (value, _) => value is Undefined,
            ["none"] = (value, _) => value is null,
            ["string"] = (value, _) => value is string,
            ["mapping"] = (value, _) => value is TemplateMap,
            ["sequence"] = (value, _) => value is string or List<object?> or object?[] or TemplateMap,
            ["iterable"] = (value, _) => value is string or List<object?> or object?[] or TemplateMap or Undefined,
            ["number"] = (value, _) => value is long or double or bool or LargeNumber,
            ["integer"] = (value, _) => value is long or LargeNumber,
            ["float"] = (value, _) => value is double,
            ["boolean"] = (value, _) => value is bool,
            ["true"] = (value, _) => value is true,
            ["false"] = (value, _) => value is false,
            ["callable"] = (value, _) => value is TemplateFunction,
            ["lower"] = (value, _) => PythonText.Of(value) is var text && text.Any(char.IsLower) && !text.Any(char.IsUpper),
            ["upper"] = (value, _) => PythonText.Of(value) is var text && text.Any(char.IsUpper) && !text.Any(char.IsLower),
            ["even"] = (value, arguments) => Whole(value, arguments) % 2 == 0,
            ["odd"] = (value, arguments) => Whole(value, arguments) % 2 != 0,
            ["divisibleby"] = (value, arguments) => Operators.Apply("%", Whole(value, arguments), arguments.Get(0, "num"), arguments.Budget) is 0L,
            ["in"] = (value, arguments) => Operators.Contains(arguments.Get(0, "seq"), value, arguments.Budget),
            ["sameas"] = (value, arguments) => arguments.Get(0, "other") is var other && (ReferenceEquals(value, other) || (value is bool && other is bool && value.Equals(other))),
            ["filter"] = (value, _) => value is string name && Filters.All.ContainsKey(name),
            ["test"] = (value, _) => value is string name && All.ContainsKey(name),
        };
        Add("==", "eq", "equalto");
        Add("!=", "ne");
        Add("<", "lt", "lessthan");
        Add(">", "gt", "greaterthan");
        Add("<=", "le");
        Add(">=", "ge");
        return tests;

        void Add(string name, params string[] others)
        {
            foreach (var each in others.Append(name)) tests[each] = (value, arguments) => Operators.Compare(name, value, arguments.Get(0, "other"), arguments.Budget);
        }
    }

    private static long Whole(object? value, CallArguments arguments) => value is long number ? number : throw new TemplateFault($"{arguments.Callee}: {Truth.Kind(value)} is no whole number");
}
