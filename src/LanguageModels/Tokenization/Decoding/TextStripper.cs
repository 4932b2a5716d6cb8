using System.Text;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Decoding;

/// <summary>Applies a <see cref="TextStrip"/> to a text that comes in parts. One per answer.</summary>
internal sealed class TextStripper(TextStrip strip)
{
    private int _startLeft = strip.Start;
    private int _held;

    /// <summary>What is certain of the text so far; letters that may be the text's last are held back.</summary>
    public string Append(string text)
    {
        var part = text.AsSpan();
        while (_startLeft > 0 && part.Length > 0)
        {
            if (part[0] != strip.Letter)
            {
                _startLeft = 0;
                break;
            }

            part = part[1..];
            _startLeft--;
        }

        if (strip.Stop == 0 || part.Length == 0) return part.ToString();
        var kept = part.TrimEnd(strip.Letter);
        var result = new StringBuilder();
        if (kept.Length > 0)
        {
            result.Append(strip.Letter, _held).Append(kept);
            _held = 0;
        }

        _held += part.Length - kept.Length;
        if (_held > strip.Stop)
        {
            result.Append(strip.Letter, _held - strip.Stop);
            _held = strip.Stop;
        }

        return result.ToString();
    }
}
