namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>Reads a pattern's code points one after the other; knows the pattern for messages.</summary>
internal sealed class PatternScanner(string pattern)
{
    private readonly int[] _points = CodePoints.Of(pattern);
    private int _at;

    public bool AtEnd => _at >= _points.Length;

    public int Position => _at;

    public int Peek(int ahead = 0) => _at + ahead < _points.Length ? _points[_at + ahead] : -1;

    public int Next() => AtEnd ? throw Refuse("it ends in the middle of something") : _points[_at++];

    public bool Take(int point)
    {
        if (Peek() != point) return false;
        _at++;
        return true;
    }

    public bool Take(string text)
    {
        for (var index = 0; index < text.Length; index++)
            if (Peek(index) != text[index]) return false;
        _at += text.Length;
        return true;
    }

    public void Back(int position) => _at = position;

    /// <summary>Text up to a letter that is taken too.</summary>
    public string Until(char end)
    {
        var start = _at;
        while (Next() != end)
        {
            // The end is what is looked for.
        }

        return string.Concat(_points[start..(_at - 1)].Select(char.ConvertFromUtf32));
    }

    /// <summary>A decimal number, or -1 where none stands.</summary>
    public int Number()
    {
        var value = -1;
        while (Peek() is >= '0' and <= '9')
        {
            value = Math.Max(0, value) * 10 + (Next() - '0');
            if (value > 1000) throw Refuse("a repetition of more than 1000 times");
        }

        return value;
    }

    public TokenizerException Refuse(string what) => new($"the pattern '{Shown}' is not understood at {_at}: {what}");

    private string Shown => pattern.Length <= 200 ? pattern : pattern[..200] + "...";
}
