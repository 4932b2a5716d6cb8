using System.Text;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;

namespace OpenGradient.Engine.LanguageModels.Templates.Values;

/// <summary>Values as JSON, in the spelling of Python's <c>json.dumps</c>, which is what models were trained on.</summary>
internal sealed class JsonText(int? indent, bool ascii, bool sorted, string? itemSeparator, string? keySeparator)
{
    private const int MaxDepth = 64;

    private readonly StringBuilder _text = new();

    // json.dumps drops the space after a comma where lines are broken.
    private readonly string _comma = itemSeparator ?? (indent is null ? ", " : ",");
    private readonly string _colon = keySeparator ?? ": ";

    public string Write(object? value)
    {
        Write(value, 0);
        return _text.ToString();
    }

    private void Write(object? value, int depth)
    {
        if (depth > MaxDepth) throw new TemplateFault($"a value nested more than {MaxDepth} deep cannot be written as JSON");
        if (_text.Length > Budget.MaxText) throw new TemplateFault($"a text of more than {Budget.MaxText} letters");
        switch (value)
        {
            case null: _text.Append("null"); break;
            case bool flag: _text.Append(flag ? "true" : "false"); break;
            case long number: _text.Append(number); break;
            case LargeNumber number: _text.Append(number.Digits); break;
            case double number: _text.Append(double.IsFinite(number) ? PythonText.Number(number) : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"); break;
            case string text: Quote(text); break;
            case List<object?> list: WriteAll('[', list, ']', depth, each => Write(each, depth + 1)); break;
            case object?[] tuple: WriteAll('[', tuple, ']', depth, each => Write(each, depth + 1)); break;
            case TemplateMap map: WriteAll('{', Entries(map), '}', depth, entry => WriteEntry(entry, depth)); break;
            default: throw new TemplateFault($"{Truth.Kind(value)} cannot be written as JSON");
        }
    }

    private List<KeyValuePair<string, object?>> Entries(TemplateMap map)
    {
        var entries = map.Select(entry => KeyValuePair.Create(Key(entry.Key), entry.Value));
        return [.. sorted ? entries.OrderBy(entry => entry.Key, StringComparer.Ordinal) : entries];
    }

    private static string Key(object key) => key switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        _ => PythonText.Of(key),
    };

    private void WriteEntry(KeyValuePair<string, object?> entry, int depth)
    {
        Quote(entry.Key);
        _text.Append(_colon);
        Write(entry.Value, depth + 1);
    }

    private void WriteAll<T>(char open, IReadOnlyCollection<T> items, char close, int depth, Action<T> write)
    {
        _text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first) _text.Append(_comma);
            first = false;
            Break(depth + 1);
            write(item);
        }

        if (!first) Break(depth);
        _text.Append(close);
    }

    private void Break(int depth)
    {
        if (indent is { } width) _text.Append('\n').Append(' ', width * depth);
    }

    private void Quote(string text)
    {
        _text.Append('"');
        foreach (var letter in text)
        {
            switch (letter)
            {
                case '"': _text.Append("\\\""); break;
                case '\\': _text.Append(@"\\"); break;
                case '\n': _text.Append(@"\n"); break;
                case '\r': _text.Append(@"\r"); break;
                case '\t': _text.Append(@"\t"); break;
                case '\b': _text.Append(@"\b"); break;
                case '\f': _text.Append(@"\f"); break;
                case < ' ': _text.Append($"\\u{(int)letter:x4}"); break;
                case > '~' when ascii: _text.Append($"\\u{(int)letter:x4}"); break;
                default: _text.Append(letter); break;
            }
        }

        _text.Append('"');
    }
}
