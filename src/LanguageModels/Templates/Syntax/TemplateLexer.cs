using System.Globalization;
using System.Text;

namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

/// <summary>
/// Divides a template into text and tags as Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c> on: a newline after
/// a block goes, and so do spaces before a block that begins its line.
/// </summary>
internal sealed class TemplateLexer
{
    private const int MaxTokens = 1 << 17;

    // Longest first, so that none is taken for the beginning of another.
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private int _line = 1;
    private bool _lineStarting = true;

    // What the tag before asks of the text after it.
    private bool _trimAfter;

    private TemplateLexer(string source) => _source = source;

    public static List<TemplateToken> Read(string source)
    {
        var plain = source.Replace("\r\n", "\n").Replace('\r', '\n');
        // One newline at the end belongs to the file, not to the template.
        if (plain.EndsWith('\n')) plain = plain[..^1];
        var lexer = new TemplateLexer(plain);
        try
        {
            lexer.ReadAll();
        }
        catch (TemplateFault fault)
        {
            throw fault.At(lexer._line);
        }

        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_at < _source.Length)
        {
            var open = NextTag();
            AddText(open < 0 ? _source.Length : open, open);
            if (open < 0) break;
            if (_source[open + 1] == '#') SkipComment();
            else ReadTag();
        }

        Add(TokenKind.End, "");
    }

    private int NextTag()
    {
        for (var at = _source.IndexOf('{', _at); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
            if (_source[at + 1] is '{' or '%' or '#') return at;
        return -1;
    }

    private void AddText(int end, int tag)
    {
        var text = _source[_at..end];
        var kept = _trimAfter ? text.TrimStart() : text;
        if (tag >= 0)
        {
            var mark = tag + 2 < _source.Length ? _source[tag + 2] : ' ';
            if (mark == '-') kept = kept.TrimEnd();
            else if (mark != '+' && _source[tag + 1] != '{') kept = WithoutIndent(kept);
        }

        if (kept.Length > 0) Add(TokenKind.Text, kept);
        Advance(end);
    }

    private string WithoutIndent(string text)
    {
        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _lineStarting) && text.AsSpan(lineStart).Trim().Length == 0 ? text[..lineStart] : text;
    }

    private void SkipComment()
    {
        var end = _source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
        if (end < 0) throw new TemplateFault("a comment without its end");
        var mark = _source[end - 1];
        Advance(end + 2);
        AfterTag(mark, trimsNewline: true);
    }

    private void AfterTag(char mark, bool trimsNewline)
    {
        _trimAfter = mark == '-';
        _lineStarting = false;
        if (mark is '-' or '+' || !trimsNewline || _at >= _source.Length || _source[_at] != '\n') return;
        Advance(_at + 1);
        _lineStarting = true;
    }

    private void ReadTag()
    {
        var block = _source[_at + 1] == '%';
        if (block && Raw()) return;
        Add(block ? TokenKind.OpenBlock : TokenKind.OpenPrint, "");
        Advance(_at + 2);
        if (_at < _source.Length && _source[_at] is '-' or '+') Advance(_at + 1);
        var close = block ? "%}" : "}}";
        var open = new Stack<char>();
        while (true)
        {
            while (_at < _source.Length && char.IsWhiteSpace(_source[_at])) Advance(_at + 1);
            if (_at >= _source.Length) throw new TemplateFault($"a tag without its '{close}'");
            if (open.Count == 0 && Closes(close, out var mark))
            {
                Add(block ? TokenKind.CloseBlock : TokenKind.ClosePrint, "");
                Advance(_at + (mark == ' ' ? 2 : 3));
                AfterTag(mark, trimsNewline: block);
                return;
            }

            ReadPart(open);
        }
    }

    private bool Closes(string close, out char mark)
    {
        mark = _source[_at] is '-' or '+' ? _source[_at] : ' ';
        // Only a block's end has the plus.
        if (mark == '+' && close == "}}") return false;
        return string.CompareOrdinal(_source, _at + (mark == ' ' ? 0 : 1), close, 0, 2) == 0;
    }

    // {% raw %} ... {% endraw %}: text, whatever stands in it.
    private bool Raw()
    {
        if (TagNamed("raw", _at) is not { } body) return false;
        Advance(body.End);
        AfterTag(body.Mark, trimsNewline: true);
        for (var at = _source.IndexOf("{%", _at, StringComparison.Ordinal); at >= 0; at = _source.IndexOf("{%", at + 2, StringComparison.Ordinal))
        {
            if (TagNamed("endraw", at) is not { } end) continue;
            AddText(at, at);
            Advance(end.End);
            AfterTag(end.Mark, trimsNewline: true);
            return true;
        }

        throw new TemplateFault("raw text without its end");
    }

    private (int End, char Mark)? TagNamed(string name, int start)
    {
        var at = start + 2;
        if (at < _source.Length && _source[at] is '-' or '+') at++;
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        if (string.CompareOrdinal(_source, at, name, 0, name.Length) != 0) return null;
        at += name.Length;
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        var mark = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : ' ';
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 ? (at + 2, mark) : null;
    }

    private void ReadPart(Stack<char> open)
    {
        var first = _source[_at];
        if (first is '\'' or '"') ReadString(first);
        else if (char.IsAsciiDigit(first)) ReadNumber();
        else if (first == '_' || char.IsLetter(first)) ReadName();
        else ReadOperator(open);
    }

    private void ReadName()
    {
        var end = _at;
        while (end < _source.Length && (_source[end] == '_' || char.IsLetterOrDigit(_source[end]))) end++;
        Add(TokenKind.Name, _source[_at..end]);
        Advance(end);
    }

    private void ReadNumber()
    {
        var end = _at;
        var real = false;
        while (end < _source.Length && (char.IsAsciiDigit(_source[end]) || _source[end] == '_')) end++;
        if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
        {
            real = true;
            for (end++; end < _source.Length && char.IsAsciiDigit(_source[end]);) end++;
        }

        if (end < _source.Length && _source[end] is 'e' or 'E')
        {
            var digits = end + 1 < _source.Length && _source[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (digits < _source.Length && char.IsAsciiDigit(_source[digits]))
            {
                real = true;
                for (end = digits; end < _source.Length && char.IsAsciiDigit(_source[end]);) end++;
            }
        }

        Add(real ? TokenKind.Float : TokenKind.Integer, _source[_at..end].Replace("_", ""));
        Advance(end);
    }

    private void ReadOperator(Stack<char> open)
    {
        foreach (var text in Operators)
        {
            if (string.CompareOrdinal(_source, _at, text, 0, text.Length) != 0) continue;
            if (text is "(" or "[" or "{") open.Push(text switch { "(" => ')', "[" => ']', _ => '}' });
            else if (text is ")" or "]" or "}" && (open.Count == 0 || open.Pop() != text[0])) throw new TemplateFault($"'{text}' closes nothing");
            Add(TokenKind.Operator, text);
            Advance(_at + text.Length);
            return;
        }

        throw new TemplateFault($"'{_source[_at]}' is not expected in a tag");
    }

    private void ReadString(char quote)
    {
        var text = new StringBuilder();
        var at = _at + 1;
        while (at < _source.Length && _source[at] != quote)
        {
            if (_source[at] == '\\' && at + 1 < _source.Length) at = Escape(at + 1, text);
            else text.Append(_source[at++]);
        }

        if (at >= _source.Length) throw new TemplateFault("a string without its end");
        Add(TokenKind.String, text.ToString());
        Advance(at + 1);
    }

    // Python's escapes; what is none keeps its backslash.
    private int Escape(int at, StringBuilder text)
    {
        var letter = _source[at];
        var plain = letter switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', 'v' => '\v', 'a' => '\a', '\\' or '\'' or '"' => letter, _ => '\0' };
        if (plain != '\0')
        {
            text.Append(plain);
            return at + 1;
        }

        var digits = letter switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits == 0)
        {
            if (letter == '0')
            {
                text.Append('\0');
                return at + 1;
            }

            text.Append('\\').Append(letter);
            return at + 1;
        }

        if (at + digits >= _source.Length || !int.TryParse(_source.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point)
            || !Rune.IsValid(point))
            throw new TemplateFault($"the escape '\\{letter}' needs {digits} hexadecimal digits of a character");
        text.Append(char.ConvertFromUtf32(point));
        return at + 1 + digits;
    }

    private void Add(TokenKind kind, string text)
    {
        if (_tokens.Count >= MaxTokens) throw new TemplateFault($"more than {MaxTokens} words and signs");
        _tokens.Add(new TemplateToken(kind, text, _line));
    }

    private void Advance(int end)
    {
        _line += _source.AsSpan(_at, end - _at).Count('\n');
        _at = end;
    }
}
