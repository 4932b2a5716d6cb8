namespace OpenGradient.Engine.LanguageModels.Tools;

/// <summary>Finds the end of a JSON object or array in a text that grows, and says early when it cannot be a call.</summary>
internal struct JsonScan
{
    // Names that a call's object begins with in the notations that are read.
    private static readonly string[] FirstNames = ["name", "arguments", "parameters", "type", "function", "id"];

    private int _at;
    private int _depth;
    private int _nameStart;
    private bool _isInString;
    private bool _isEscaped;
    private bool _hasName;

    /// <summary>Index in the text after the value, when it is whole.</summary>
    public int End { get; private set; }

    /// <summary>Reads on.</summary>
    /// <param name="text">The same text as before, possibly longer.</param>
    /// <param name="start">Where the value begins, white space before it allowed.</param>
    /// <param name="isImpossible">Whether the text cannot become a call or an array of calls.</param>
    /// <returns>Whether the value is whole.</returns>
    public bool Continue(string text, int start, bool mayBeArray, out bool isImpossible)
    {
        isImpossible = false;
        if (End > 0) return true;
        for (_at = Math.Max(_at, start); _at < text.Length; _at++)
        {
            var letter = text[_at];
            if (_isInString)
            {
                if (_isEscaped) _isEscaped = false;
                else if (letter == '\\') _isEscaped = true;
                else if (letter == '"') _isInString = false;
                if (!_isInString && !_hasName)
                {
                    _hasName = true;
                    if (!FirstNames.Contains(text[_nameStart.._at])) return Impossible(out isImpossible);
                }

                continue;
            }

            switch (letter)
            {
                case '"':
                    if (_depth == 0) return Impossible(out isImpossible);
                    (_isInString, _nameStart) = (true, _at + 1);
                    break;
                case '{':
                    _depth++;
                    break;
                case '[':
                    if (_depth == 0 && !mayBeArray) return Impossible(out isImpossible);
                    _depth++;
                    break;
                case '}' or ']':
                    if (_depth == 0) return Impossible(out isImpossible);
                    if (--_depth > 0) break;
                    End = _at + 1;
                    return true;
                default:
                    // Before the first name there is nothing but brackets.
                    if (!_hasName && !char.IsWhiteSpace(letter)) return Impossible(out isImpossible);
                    break;
            }
        }

        return false;
    }

    private static bool Impossible(out bool isImpossible)
    {
        isImpossible = true;
        return false;
    }
}
