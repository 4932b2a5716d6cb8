using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>Log-probabilities as the two endpoints write them. Special tokens are not part of the text, and not reported.</summary>
/// <param name="tokenizer">Says what text a token is.</param>
internal sealed class LogprobsJson(Tokenizer tokenizer)
{
    // JSON has no infinity; that API writes this for what cannot occur.
    private const float Impossible = -9999;

    /// <summary>Chat: one object per token, with bytes, because a token can be part of a character.</summary>
    public void WriteChat(Utf8JsonWriter json, IEnumerable<TokenLogprobs> positions)
    {
        json.WriteStartObject("logprobs");
        json.WriteStartArray("content");
        foreach (var position in Spoken(positions))
        {
            json.WriteStartObject();
            WriteToken(json, position.Token, position.Logprob);
            json.WriteStartArray("top_logprobs");
            foreach (var (token, logprob) in position.Top)
            {
                json.WriteStartObject();
                WriteToken(json, token, logprob);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNull("refusal");
        json.WriteEndObject();
    }

    /// <summary>Completions: parallel arrays.</summary>
    /// <param name="offset">Where in the text the first of them begins; moved on.</param>
    public void WriteCompletion(Utf8JsonWriter json, IReadOnlyList<TokenLogprobs> positions, ref int offset)
    {
        var spoken = Spoken(positions).ToArray();
        json.WriteStartObject("logprobs");
        json.WriteStartArray("tokens");
        foreach (var position in spoken) json.WriteStringValue(Text(position.Token));
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (var position in spoken) json.WriteNumberValue(Finite(position.Logprob));
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs");
        foreach (var position in spoken) WriteTop(json, position);
        json.WriteEndArray();
        json.WriteStartArray("text_offset");
        foreach (var position in spoken)
        {
            json.WriteNumberValue(offset);
            offset += Text(position.Token).Length;
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteTop(Utf8JsonWriter json, TokenLogprobs position)
    {
        json.WriteStartObject();
        // Two tokens can have one text; the first is the more probable.
        var told = new HashSet<string>();
        foreach (var (token, logprob) in position.Top)
            if (told.Add(Text(token))) json.WriteNumber(Text(token), Finite(logprob));
        json.WriteEndObject();
    }

    private void WriteToken(Utf8JsonWriter json, int token, float logprob)
    {
        json.WriteString("token", Text(token));
        json.WriteNumber("logprob", Finite(logprob));
        json.WriteStartArray("bytes");
        foreach (var each in tokenizer.BytesOf(token)) json.WriteNumberValue(each);
        json.WriteEndArray();
    }

    private IEnumerable<TokenLogprobs> Spoken(IEnumerable<TokenLogprobs> positions) => positions.Where(position => !tokenizer.IsSpecial(position.Token));

    private string Text(int token) => tokenizer.IsSpecial(token) ? tokenizer.TokenText(token) : Encoding.UTF8.GetString(tokenizer.BytesOf(token));

    private static float Finite(float logprob) => float.IsFinite(logprob) ? logprob : Impossible;
}
