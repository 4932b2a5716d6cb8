using System.Text;
using System.Text.Json.Nodes;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

/// <summary>Tokenizer files of a few lines, made to see one part at work.</summary>
internal static class TokenizerFixture
{
    /// <summary>Every byte a token and nothing else: what is decoded is what the normalizer made of the text.</summary>
    public static Tokenizer Bytes(string? normalizer = null, string? preTokenizer = null, string? decoder = null)
    {
        var file = File(normalizer, preTokenizer, decoder ?? """{"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}""");
        return TokenizerVectors.Parse(file.ToJsonString());
    }

    public static JsonObject File(string? normalizer = null, string? preTokenizer = null, string? decoder = null) => new()
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(),
        ["normalizer"] = normalizer is null ? null : JsonNode.Parse(normalizer),
        ["pre_tokenizer"] = preTokenizer is null ? null : JsonNode.Parse(preTokenizer),
        ["post_processor"] = null,
        ["decoder"] = decoder is null ? null : JsonNode.Parse(decoder),
        ["model"] = new JsonObject { ["type"] = "BPE", ["byte_fallback"] = true, ["vocab"] = Vocabulary(), ["merges"] = new JsonArray() },
    };

    public static string Normalized(string normalizer, string text)
    {
        var tokenizer = Bytes(normalizer);
        return tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false), skipSpecialTokens: false);
    }

    /// <summary>What a pre-tokenizer divides a text into: letters that do not begin a piece have tokens with a mark before them.</summary>
    public static string[] Pieces(string preTokenizer, string text)
    {
        const string Mark = "##";
        var file = File(preTokenizer: preTokenizer);
        var vocabulary = new JsonObject();
        foreach (var letter in (text + "▁ ").EnumerateRunes().Select(rune => rune.ToString()).Distinct())
        {
            vocabulary[letter] = vocabulary.Count;
            vocabulary[Mark + letter] = vocabulary.Count;
        }

        file["model"] = new JsonObject { ["type"] = "BPE", ["continuing_subword_prefix"] = Mark, ["vocab"] = vocabulary, ["merges"] = new JsonArray() };
        var tokenizer = TokenizerVectors.Parse(file.ToJsonString());
        var pieces = new List<StringBuilder>();
        foreach (var token in tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.TokenText))
        {
            if (token.Length <= 2) pieces.Add(new StringBuilder(token));
            else pieces[^1].Append(token.AsSpan(Mark.Length));
        }

        return [.. pieces.Select(piece => piece.ToString())];
    }

    private static JsonObject Vocabulary()
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++) vocabulary[$"<0x{value:X2}>"] = value;
        return vocabulary;
    }
}
