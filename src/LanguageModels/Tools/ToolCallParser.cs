using System.Text;

namespace OpenGradient.Engine.LanguageModels.Tools;

/// <summary>A call of a tool that an answer asks for.</summary>
/// <param name="Arguments">JSON text of the arguments object, as the model wrote it.</param>
public sealed record ToolCall(string Name, string Arguments);

/// <summary>
/// Divides an answer's text into content and tool calls, as it comes. One per answer. Calls are <c>&lt;tool_call&gt;{…}&lt;/tool_call&gt;</c>
/// anywhere (Hermes, Qwen), or bare JSON at the beginning, with or without <c>&lt;|python_tag|&gt;</c> (Llama 3), one after another
/// with or without semicolons. What is malformed, or calls a tool that was not offered, stays content.
/// </summary>
public sealed class ToolCallParser
{
    private const string OpenTag = "<tool_call>";
    private const string CloseTag = "</tool_call>";
    private const string PythonTag = "<|python_tag|>";

    private readonly HashSet<string> _tools;
    private readonly bool _expectsCall;
    private readonly List<ToolCall> _calls = [];
    private string _pending = "";
    private Reading _reading = Reading.Start;

    // While a call is read: where its JSON begins in the pending text.
    private int _json;
    private bool _isTagged;
    private JsonScan _scan;

    /// <param name="tools">Names of the tools that may be called; without any all text is content.</param>
    /// <param name="expectsCall">Whether a constraint made the answer a call or an array of calls, or allowed it to be one.</param>
    public ToolCallParser(IEnumerable<string> tools, bool expectsCall = false)
    {
        _tools = tools.ToHashSet(StringComparer.Ordinal);
        _expectsCall = expectsCall;
    }

    private enum Reading
    {
        /// <summary>Before anything but white space.</summary>
        Start,

        /// <summary>After a call: another one or content.</summary>
        AfterCall,
        Content,
        Call,
    }

    /// <summary>Calls found so far, in order.</summary>
    public IReadOnlyList<ToolCall> Calls => _calls;

    /// <summary>Takes more text and returns the content that is certain not to be part of a call; may be empty.</summary>
    public string Append(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_tools.Count == 0) return text;
        _pending += text;
        return Drain(isLast: false);
    }

    /// <summary>Ends the answer: returns what was held back and turned out to be content.</summary>
    public string Finish() => Drain(isLast: true);

    private string Drain(bool isLast)
    {
        var content = new StringBuilder();
        while (_reading switch
        {
            Reading.Content => ReadContent(content, isLast),
            Reading.Call => ReadCall(content, isLast),
            _ => ReadStart(content, isLast),
        })
        {
            // Each round decides about some text; it ends where more is needed.
        }

        return content.ToString();
    }

    private bool ReadStart(StringBuilder content, bool isLast)
    {
        var at = 0;
        while (at < _pending.Length && (char.IsWhiteSpace(_pending[at]) || (_reading == Reading.AfterCall && _pending[at] == ';'))) at++;
        if (at == _pending.Length)
        {
            // White space after a call belongs to the notation of calls.
            if (isLast && _reading == Reading.Start) content.Append(_pending);
            if (isLast) _pending = "";
            return false;
        }

        var rest = _pending.AsSpan(at);
        if (rest.StartsWith(PythonTag, StringComparison.Ordinal))
        {
            _pending = _pending[(at + PythonTag.Length)..];
            return true;
        }

        if (!isLast && IsBeginningOf(rest, PythonTag)) return false;
        if (rest[0] == '{' || (rest[0] == '[' && _expectsCall && _calls.Count == 0)) StartCall(at, isTagged: false);
        else _reading = Reading.Content;
        return true;
    }

    private bool ReadContent(StringBuilder content, bool isLast)
    {
        var tag = _pending.IndexOf(OpenTag, StringComparison.Ordinal);
        if (tag >= 0)
        {
            Emit(content, TrimmedEnd(tag));
            StartCall(_pending.IndexOf(OpenTag, StringComparison.Ordinal) + OpenTag.Length, isTagged: true);
            return true;
        }

        if (isLast)
        {
            Emit(content, _pending.Length);
            return false;
        }

        // The text's end may be the beginning of a tag, and white space before a tag is none of the content.
        var end = _pending.Length;
        for (var length = Math.Min(OpenTag.Length - 1, end); length > 0; length--)
        {
            if (!IsBeginningOf(_pending.AsSpan(end - length), OpenTag)) continue;
            end -= length;
            break;
        }

        Emit(content, TrimmedEnd(end));
        return false;
    }

    private bool ReadCall(StringBuilder content, bool isLast)
    {
        var isWhole = _scan.Continue(_pending, _json, mayBeArray: !_isTagged, out var isImpossible);
        if (isImpossible || (!isWhole && isLast))
        {
            // A brace or a tag that began no call is content, and what follows is read anew.
            Emit(content, isImpossible ? Math.Min(_pending.Length, _json + (_isTagged ? 0 : 1)) : _pending.Length);
            _reading = Reading.Content;
            return true;
        }

        if (!isWhole) return false;
        var end = _scan.End;
        if (_isTagged)
        {
            var after = end;
            while (after < _pending.Length && char.IsWhiteSpace(_pending[after])) after++;
            var rest = _pending.AsSpan(after);
            // Without its closing tag a call still is one: some models end there.
            if (rest.StartsWith(CloseTag, StringComparison.Ordinal)) end = after + CloseTag.Length;
            else if (!isLast && IsBeginningOf(rest, CloseTag)) return false;
        }

        if (ToolCallJson.Read(_pending[_json.._scan.End], _tools, _expectsCall && !_isTagged) is { } calls)
        {
            _calls.AddRange(calls);
            _pending = _pending[end..];
            _reading = Reading.AfterCall;
        }
        else
        {
            Emit(content, end);
            _reading = Reading.Content;
        }

        return true;
    }

    private void StartCall(int json, bool isTagged)
    {
        (_reading, _json, _isTagged, _scan) = (Reading.Call, json, isTagged, new JsonScan());
    }

    private void Emit(StringBuilder content, int length)
    {
        content.Append(_pending, 0, length);
        _pending = _pending[length..];
    }

    private int TrimmedEnd(int end)
    {
        while (end > 0 && char.IsWhiteSpace(_pending[end - 1])) end--;
        return end;
    }

    /// <summary>Whether a text is a beginning of another and not the whole of it; an empty one is.</summary>
    private static bool IsBeginningOf(ReadOnlySpan<char> text, string whole) => text.Length < whole.Length && whole.AsSpan().StartsWith(text, StringComparison.Ordinal);
}
