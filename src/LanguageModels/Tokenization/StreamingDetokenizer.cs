using System.Buffers;
using System.Text;
using OpenGradient.Engine.LanguageModels.Tokenization.Decoding;

namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>Turns tokens into text as they come: whole characters only. One per answer.</summary>
public sealed class StreamingDetokenizer
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly TextStripper[] _strips;
    private readonly StringBuilder _text = new();
    private bool _any;
    private int _held = -1;

    internal StreamingDetokenizer(Tokenizer tokenizer, bool skipSpecial)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _strips = [.. tokenizer.Plan.Strips.Select(strip => new TextStripper(strip))];
    }

    /// <summary>What became certain with this token; may be empty. An id that no token has adds nothing.</summary>
    public string Append(int token)
    {
        if (!_tokenizer.IsToken(token) || (_skipSpecial && _tokenizer.IsSpecial(token))) return "";
        if (!_tokenizer.Plan.LooksAtLast) Take(token, last: false);
        else
        {
            if (_held >= 0) Take(_held, last: false);
            _held = token;
        }

        return Certain();
    }

    /// <summary>What was held back; an unfinished character becomes U+FFFD.</summary>
    public string Finish()
    {
        if (_held >= 0) Take(_held, last: true);
        _held = -1;
        Convert([], flush: true);
        return Certain();
    }

    private void Take(int token, bool last)
    {
        Convert(_any && !last ? _tokenizer.Inner(token) : _tokenizer.Plan.BytesOf(_tokenizer.TokenText(token), !_any, last), flush: false);
        _any = true;
    }

    private void Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var letters = ArrayPool<char>.Shared.Rent(bytes.Length + 4);
        var count = _utf8.GetChars(bytes, letters, flush);
        _text.Append(letters, 0, count);
        ArrayPool<char>.Shared.Return(letters);
    }

    private string Certain()
    {
        var text = _text.ToString();
        _text.Clear();
        foreach (var strip in _strips) text = strip.Append(text);
        return text;
    }
}
