using System.Globalization;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>Filters by name: Jinja's, with <c>tojson</c> as transformers has it.</summary>
internal static class Filters
{
    public static IReadOnlyDictionary<string, Func<object?, CallArguments, object?>> All { get; } = Build();

    private static Dictionary<string, Func<object?, CallArguments, object?>> Build()
    {
        var filters = new Dictionary<string, Func<object?, CallArguments, object?>>
        {
            ["tojson"] = ToJson,
            ["trim"] = (value, arguments) => TextMethods.Strip(Text(value, arguments), arguments.TextOrNone(0, "chars"), left: true, right: true),
            ["upper"] = (value, arguments) => Text(value, arguments).ToUpperInvariant(),
            ["lower"] = (value, arguments) => Text(value, arguments).ToLowerInvariant(),
            ["title"] = (value, arguments) => Title(Text(value, arguments)),
            ["capitalize"] = (value, arguments) => TextMethods.Capitalize(Text(value, arguments)),
            ["string"] = Text,
            ["safe"] = (value, arguments) => Text(value, arguments),
            ["escape"] = (value, arguments) => Escape(Text(value, arguments), arguments),
            ["replace"] = (value, arguments) =>
                TextMethods.Replace(Text(value, arguments), PythonText.Of(arguments.Get(0, "old")), PythonText.Of(arguments.Get(1, "new")), arguments.Number(2, "count", -1), arguments.Budget),
            ["indent"] = Indent,
            ["wordcount"] = (value, arguments) => (long)Text(value, arguments).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length,
            ["default"] = Default,
            ["length"] = (value, _) => Sequences.Length(value),
            ["int"] = ToInt,
            ["float"] = ToFloat,
            ["abs"] = (value, arguments) => Truth.Compare(value, 0L, arguments.Budget) < 0 ? Operators.Negate(value) : value,
            ["round"] = Round,
            ["attr"] = (value, arguments) => Members.Find(value, arguments.Text(0, "name"), dotted: true, arguments.Budget),
        };
        filters["d"] = filters["default"];
        filters["count"] = filters["length"];
        filters["e"] = filters["escape"];
        foreach (var (name, filter) in ListFilters.All) filters.Add(name, filter);
        return filters;
    }

    private static string Text(object? value, CallArguments arguments)
    {
        var text = PythonText.Of(value);
        arguments.Budget.Letters(text.Length);
        return text;
    }

    private static string ToJson(object? value, CallArguments arguments)
    {
        arguments.Only(4, "ensure_ascii", "indent", "separators", "sort_keys");
        int? indent = arguments.Get(1, "indent", null) switch
        {
            null => null,
            long width and >= 0 and <= 64 => (int)width,
            _ => throw new TemplateFault("tojson: 'indent' must be a number from 0 to 64"),
        };
        var (item, key) = arguments.Get(2, "separators", null) switch
        {
            null => (null, null),
            object?[] { Length: 2 } pair => (pair[0] as string, pair[1] as string),
            List<object?> { Count: 2 } pair => (pair[0] as string, pair[1] as string),
            _ => throw new TemplateFault("tojson: 'separators' must be two texts"),
        };
        var text = new JsonText(indent, arguments.Flag(0, "ensure_ascii", false), arguments.Flag(3, "sort_keys", false), item, key).Write(value);
        arguments.Budget.Letters(text.Length);
        return text;
    }

    private static string Title(string text)
    {
        var letters = text.ToCharArray();
        var begins = true;
        for (var at = 0; at < letters.Length; at++)
        {
            letters[at] = begins ? char.ToUpperInvariant(letters[at]) : char.ToLowerInvariant(letters[at]);
            begins = char.IsWhiteSpace(letters[at]) || letters[at] is '-' or '(' or '{' or '[' or '<';
        }

        return new string(letters);
    }

    private static string Escape(string text, CallArguments arguments)
    {
        arguments.Budget.Letters(text.Length * 5L);
        return text.Replace("&", "&amp;").Replace(">", "&gt;").Replace("<", "&lt;").Replace("'", "&#39;").Replace("\"", "&#34;");
    }

    private static string Indent(object? value, CallArguments arguments)
    {
        var prefix = arguments.Get(0, "width", 4L) switch
        {
            long width and >= 0 and <= 1000 => new string(' ', (int)width),
            string text => text,
            _ => throw new TemplateFault("indent: 'width' must be a text or a number up to 1000"),
        };
        var (first, blank) = (arguments.Flag(1, "first", false), arguments.Flag(2, "blank", false));
        var lines = Text(value, arguments).Replace("\r\n", "\n").Split('\n');
        arguments.Budget.Letters(lines.Sum(line => (long)line.Length) + ((long)lines.Length * (prefix.Length + 1)));
        for (var index = 0; index < lines.Length; index++)
            if (index == 0 ? first : blank || lines[index].Length > 0) lines[index] = prefix + lines[index];
        return string.Join('\n', lines);
    }

    private static object? Default(object? value, CallArguments arguments) =>
        value is Undefined || (arguments.Flag(1, "boolean", false) && !Truth.Of(value)) ? arguments.Get(0, "default_value", "") : value;

    private static object? ToInt(object? value, CallArguments arguments) => value switch
    {
        long or LargeNumber => value,
        bool flag => flag ? 1L : 0L,
        double number when Math.Abs(number) < long.MaxValue => (long)number,
        string text when long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        string text when double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < long.MaxValue => (long)number,
        _ => arguments.Get(0, "default", 0L),
    };

    private static object? ToFloat(object? value, CallArguments arguments) => value switch
    {
        long number => (double)number,
        bool flag => flag ? 1.0 : 0.0,
        double => value,
        string text when double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => arguments.Get(0, "default", 0.0),
    };

    private static object Round(object? value, CallArguments arguments)
    {
        var number = value switch { long whole => whole, double real => real, _ => throw new TemplateFault($"{Truth.Kind(value)} is no number") };
        var digits = arguments.Number(0, "precision", 0);
        if (digits is < 0 or > 15) throw new TemplateFault("round: 'precision' must be from 0 to 15");
        var scale = Math.Pow(10, digits);
        return arguments.TextOrNone(1, "method") switch
        {
            null or "common" => Math.Round(number, (int)digits, MidpointRounding.ToEven),
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            var method => throw new TemplateFault($"round: the method '{method}' is not understood"),
        };
    }
}
