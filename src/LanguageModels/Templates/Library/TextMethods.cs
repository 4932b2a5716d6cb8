using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Library;

/// <summary>Methods of texts, as Python has them.</summary>
internal static class TextMethods
{
    public static IReadOnlyDictionary<string, Func<string, CallArguments, object?>> All { get; } = new Dictionary<string, Func<string, CallArguments, object?>>
    {
        ["strip"] = (text, arguments) => Strip(text, arguments.TextOrNone(0, "chars"), left: true, right: true),
        ["lstrip"] = (text, arguments) => Strip(text, arguments.TextOrNone(0, "chars"), left: true, right: false),
        ["rstrip"] = (text, arguments) => Strip(text, arguments.TextOrNone(0, "chars"), left: false, right: true),
        ["split"] = (text, arguments) => Split(text, arguments, fromRight: false),
        ["rsplit"] = (text, arguments) => Split(text, arguments, fromRight: true),
        ["splitlines"] = (text, arguments) => SplitLines(text, arguments),
        ["startswith"] = (text, arguments) => Any(arguments, part => text.StartsWith(part, StringComparison.Ordinal)),
        ["endswith"] = (text, arguments) => Any(arguments, part => text.EndsWith(part, StringComparison.Ordinal)),
        ["replace"] = (text, arguments) => Replace(text, arguments.Text(0, "old"), arguments.Text(1, "new"), arguments.Number(2, "count", -1), arguments.Budget),
        ["upper"] = (text, arguments) => Made(text.ToUpperInvariant(), arguments),
        ["lower"] = (text, arguments) => Made(text.ToLowerInvariant(), arguments),
        ["title"] = (text, arguments) => Made(Title(text), arguments),
        ["capitalize"] = (text, arguments) => Made(Capitalize(text), arguments),
        ["find"] = (text, arguments) => Place(text, text.IndexOf(arguments.Text(0, "sub"), StringComparison.Ordinal)),
        ["rfind"] = (text, arguments) => Place(text, text.LastIndexOf(arguments.Text(0, "sub"), StringComparison.Ordinal)),
        ["index"] = (text, arguments) => Place(text, text.IndexOf(arguments.Text(0, "sub"), StringComparison.Ordinal)) is >= 0 and var at ? at : throw new TemplateFault("the text does not have the part that is looked for"),
        ["count"] = (text, arguments) => Count(text, arguments.Text(0, "sub")),
        ["join"] = (text, arguments) => Join(text, Sequences.Items(arguments.Get(0, "iterable"), arguments.Budget), arguments.Budget, strict: true),
        ["removeprefix"] = (text, arguments) => arguments.Text(0, "prefix") is { Length: > 0 } part && text.StartsWith(part, StringComparison.Ordinal) ? text[part.Length..] : text,
        ["removesuffix"] = (text, arguments) => arguments.Text(0, "suffix") is { Length: > 0 } part && text.EndsWith(part, StringComparison.Ordinal) ? text[..^part.Length] : text,
        ["partition"] = (text, arguments) => Partition(text, arguments, last: false),
        ["rpartition"] = (text, arguments) => Partition(text, arguments, last: true),
        ["ljust"] = (text, arguments) => Pad(text, arguments, left: false),
        ["rjust"] = (text, arguments) => Pad(text, arguments, left: true),
        ["isdigit"] = (text, _) => text.Length > 0 && text.All(char.IsDigit),
        ["isnumeric"] = (text, _) => text.Length > 0 && text.All(char.IsNumber),
        ["isalpha"] = (text, _) => text.Length > 0 && text.All(char.IsLetter),
        ["isalnum"] = (text, _) => text.Length > 0 && text.All(char.IsLetterOrDigit),
        ["isspace"] = (text, _) => text.Length > 0 && text.All(PythonText.IsSpace),
        ["isupper"] = (text, _) => text.Any(char.IsUpper) && !text.Any(char.IsLower),
        ["islower"] = (text, _) => text.Any(char.IsLower) && !text.Any(char.IsUpper),
    };

    public static string Strip(string text, string? letters, bool left, bool right)
    {
        var (start, end) = (0, text.Length);
        bool Goes(char letter) => letters is null ? PythonText.IsSpace(letter) : letters.Contains(letter);
        while (left && start < end && Goes(text[start])) start++;
        while (right && end > start && Goes(text[end - 1])) end--;
        return text[start..end];
    }

    public static string Replace(string text, string old, string with, long count, Budget budget)
    {
        if (count == 0) return text;
        if (old.Length == 0) throw new TemplateFault("nothing cannot be replaced by something");
        var places = Count(text, old);
        if (count > 0) places = Math.Min(places, count);
        budget.Letters(Math.Max(0, text.Length + (places * ((long)with.Length - old.Length))));
        if (count < 0) return text.Replace(old, with, StringComparison.Ordinal);
        var parts = text.Split(old, (int)Math.Min(int.MaxValue, count + 1));
        return string.Join(with, parts);
    }

    public static string Join(string separator, IReadOnlyList<object?> items, Budget budget, bool strict)
    {
        if (strict && items.FirstOrDefault(item => item is not string) is { } odd) throw new TemplateFault($"join: {Truth.Kind(odd)} is no text");
        var texts = items.Select(PythonText.Of).ToArray();
        budget.Letters(texts.Sum(each => (long)each.Length) + ((long)separator.Length * Math.Max(0, texts.Length - 1)));
        return string.Join(separator, texts);
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : text[..1].ToUpperInvariant() + text[1..].ToLowerInvariant();

    private static string Made(string text, CallArguments arguments)
    {
        arguments.Budget.Letters(text.Length);
        return text;
    }

    private static string Title(string text)
    {
        var letters = text.ToCharArray();
        var inside = false;
        for (var at = 0; at < letters.Length; at++)
        {
            var letter = char.IsLetter(letters[at]);
            letters[at] = letter && !inside ? char.ToUpperInvariant(letters[at]) : char.ToLowerInvariant(letters[at]);
            inside = letter;
        }

        return new string(letters);
    }

    private static object Any(CallArguments arguments, Func<string, bool> fits)
    {
        var wanted = arguments.Get(0, "prefix");
        if (wanted is object?[] several) return several.Any(each => fits(each as string ?? throw new TemplateFault($"{arguments.Callee} needs texts")));
        return fits(arguments.Text(0, "prefix"));
    }

    // Places are counted in code points.
    private static long Place(string text, int at) => at < 0 ? -1 : PythonText.Length(text[..at]);

    private static long Count(string text, string part)
    {
        if (part.Length == 0) return PythonText.Length(text) + 1;
        var count = 0L;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal)) count++;
        return count;
    }

    private static List<object?> Split(string text, CallArguments arguments, bool fromRight)
    {
        var separator = arguments.TextOrNone(0, "sep");
        var most = arguments.Number(1, "maxsplit", -1);
        if (separator == "") throw new TemplateFault("split: the separator is empty");
        arguments.Budget.Letters(text.Length);
        var parts = separator is null ? Words(text, most, fromRight) : Pieces(text, separator, most, fromRight);
        arguments.Budget.Steps(parts.Count);
        return parts;
    }

    private static List<object?> Pieces(string text, string separator, long most, bool fromRight)
    {
        var parts = new List<object?>();
        if (!fromRight)
        {
            var at = 0;
            for (var next = text.IndexOf(separator, StringComparison.Ordinal); next >= 0 && parts.Count != most; next = text.IndexOf(separator, at, StringComparison.Ordinal))
            {
                parts.Add(text[at..next]);
                at = next + separator.Length;
            }

            parts.Add(text[at..]);
            return parts;
        }

        var end = text.Length;
        while (parts.Count != most && end >= separator.Length && text.AsSpan(0, end).LastIndexOf(separator) is >= 0 and var found)
        {
            parts.Add(text[(found + separator.Length)..end]);
            end = found;
        }

        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<object?> Words(string text, long most, bool fromRight)
    {
        if (fromRight && most >= 0) throw new TemplateFault("rsplit at spaces with a limit is not understood");
        var parts = new List<object?>();
        var at = 0;
        while (true)
        {
            while (at < text.Length && PythonText.IsSpace(text[at])) at++;
            if (at == text.Length) return parts;
            if (parts.Count == most)
            {
                parts.Add(Strip(text[at..], null, left: false, right: true));
                return parts;
            }

            var start = at;
            while (at < text.Length && !PythonText.IsSpace(text[at])) at++;
            parts.Add(text[start..at]);
        }
    }

    private static List<object?> SplitLines(string text, CallArguments arguments)
    {
        arguments.Only(0);
        arguments.Budget.Letters(text.Length);
        var lines = text.Replace("\r\n", "\n").Replace('\r', '\n').Split('\n').Cast<object?>().ToList();
        if (lines[^1] is "") lines.RemoveAt(lines.Count - 1);
        arguments.Budget.Steps(lines.Count);
        return lines;
    }

    private static object?[] Partition(string text, CallArguments arguments, bool last)
    {
        var separator = arguments.Text(0, "sep");
        if (separator.Length == 0) throw new TemplateFault("partition: the separator is empty");
        var at = last ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        if (at < 0) return last ? ["", "", text] : [text, "", ""];
        return [text[..at], separator, text[(at + separator.Length)..]];
    }

    private static string Pad(string text, CallArguments arguments, bool left)
    {
        var width = arguments.Number(0, "width", 0);
        var fill = arguments.TextOrNone(1, "fillchar") ?? " ";
        var missing = width - PythonText.Length(text);
        if (missing <= 0) return text;
        if (fill.Length != 1) throw new TemplateFault($"{arguments.Callee}: 'fillchar' must be one letter");
        arguments.Budget.Letters(missing + text.Length);
        var padding = new string(fill[0], (int)missing);
        return left ? padding + text : text + padding;
    }
}
