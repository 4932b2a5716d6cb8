using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Generation.Text;

/// <summary>An answer's text as its tokens come: whole characters, without special tokens, ended by a stop text. One per answer; used by one thread at a time.</summary>
internal sealed class AnswerText(StreamingDetokenizer? detokenizer, IReadOnlyList<string> stops)
{
    private readonly StopTexts _stops = new(stops);

    public string? StopText => _stops.Found;

    /// <summary>What became certain with this token; may be empty.</summary>
    public string Append(int token) => detokenizer is null ? "" : _stops.Append(detokenizer.Append(token));

    /// <summary>What was held back. It may end in a stop text, where an unfinished character completes one.</summary>
    public string Finish()
    {
        if (detokenizer is null || StopText is not null) return "";
        var rest = _stops.Append(detokenizer.Finish());
        return StopText is null ? rest + _stops.Finish() : rest;
    }
}
