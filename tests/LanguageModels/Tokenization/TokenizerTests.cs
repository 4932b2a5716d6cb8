using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

public sealed class TokenizerTests
{
    [Fact]
    public void Encode_LongWordOfOneLetter_IsMergedAsShortOnesAre()
    {
        var (tokenizer, _) = TokenizerVectors.Read("gpt2");
        var watch = Stopwatch.StartNew();
        var tokens = tokenizer.Encode(new string('a', 100_000), addSpecialTokens: false);
        Assert.Equal(100_000, tokens.Sum(token => tokenizer.TokenText(token).Length));
        // Quadratic merging takes minutes.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Encode_LongRows_AreMergedInTheOrderOfRanksAndPlaces()
    {
        // Rows above forty letters go through the heap: they must give what merging one pair at a time gives.
        var vocabulary = new JsonObject { ["a"] = 0, ["b"] = 1, ["ab"] = 2, ["ba"] = 3, ["aa"] = 4, ["aba"] = 5, ["abab"] = 6, ["bb"] = 7, ["aab"] = 8 };
        (string Left, string Right)[] merges = [("b", "a"), ("a", "b"), ("a", "a"), ("ab", "a"), ("ab", "ab"), ("b", "b"), ("a", "ab")];
        var file = TokenizerFixture.File();
        file["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray([.. merges.Select(each => JsonValue.Create($"{each.Left} {each.Right}"))]) };
        var tokenizer = TokenizerVectors.Parse(file.ToJsonString());
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 120)).Select(_ => "ab"[random.Next(2)]));
            var expected = text.Select(letter => letter.ToString()).ToList();
            for (var at = NextMerge(expected, merges); at >= 0; at = NextMerge(expected, merges))
            {
                expected[at] += expected[at + 1];
                expected.RemoveAt(at + 1);
            }

            Assert.Equal(expected, tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.TokenText));
        }
    }

    [Fact]
    public void Encode_LoneSurrogates_AreReplacementCharacters()
    {
        var tokenizer = TokenizerFixture.Bytes();
        Assert.Equal(Encoding.UTF8.GetBytes("a\uFFFDb😀\uFFFD").Select(value => (int)value), tokenizer.Encode("a\uDC00b😀\uD800", addSpecialTokens: false));
    }

    [Fact]
    public void Encode_AddedTokens_FollowTheirFlags()
    {
        var tokenizer = WithAdded("""
            [{"id": 300, "content": "<a>", "special": true}, {"id": 301, "content": "<a><b>", "special": true}, {"id": 302, "content": "word", "single_word": true},
             {"id": 303, "content": "<l>", "lstrip": true}, {"id": 304, "content": "<r>", "rstrip": true}, {"id": 305, "content": "abc", "normalized": true}, {"id": 306, "content": "XYZ", "normalized": false}]
            """, """{"type": "Lowercase"}""");
        int[] Of(string text) => tokenizer.Encode(text, addSpecialTokens: false);
        // The longest of those that begin at one place.
        Assert.Equal([301], Of("<a><b>"));
        Assert.Equal([300, '<'], Of("<a><"));
        Assert.Equal([302, ' ', 302], Of("word word"));
        Assert.Equal("sword", string.Concat(Of("sword").Select(token => (char)token)));
        Assert.Equal(['a', 303, 'b'], Of("a  <l>b"));
        Assert.Equal(['a', 304, 'b'], Of("a<r> \n b"));
        // A normalized token is found after the text was normalized, another before.
        Assert.Equal([305], Of("ABC"));
        Assert.Equal([306], Of("XYZ"));
        Assert.Equal(['x', 'y', 'z'], Of("xyz"));
    }

    [Fact]
    public void Encode_UnigramWithBytes_FallsBackLetterByLetter()
    {
        var entries = new JsonArray(new JsonArray("<unk>", 0.0), new JsonArray("ab", -1.0), new JsonArray("a", -3.0), new JsonArray("b", -3.0));
        for (var value = 0; value < 256; value++) entries.Add(new JsonArray($"<0x{value:X2}>", -9.0));
        var file = TokenizerFixture.File();
        file["model"] = new JsonObject { ["type"] = "Unigram", ["unk_id"] = 0, ["vocab"] = entries, ["byte_fallback"] = true };
        var tokenizer = TokenizerVectors.Parse(file.ToJsonString());
        Assert.Equal([1, 4 + 0xC3, 4 + 0xA9, 4 + 'x', 2], tokenizer.Encode("abéxa", addSpecialTokens: false));
        file["model"]!["byte_fallback"] = false;
        Assert.Equal([1, 0, 2], TokenizerVectors.Parse(file.ToJsonString()).Encode("abéxa", addSpecialTokens: false));
    }

    [Theory]
    [InlineData(false, "a??b?")]
    [InlineData(true, "a?b?")]
    public void Encode_UnknownLetters_AreFusedWhereTheFileSaysSo(bool fuse, string expected)
    {
        var file = TokenizerFixture.File();
        file["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = new JsonObject { ["?"] = 0, ["a"] = 1, ["b"] = 2 }, ["merges"] = new JsonArray(), ["unk_token"] = "?", ["fuse_unk"] = fuse };
        var tokenizer = TokenizerVectors.Parse(file.ToJsonString());
        Assert.Equal(expected, string.Concat(tokenizer.Encode("axyb😀", addSpecialTokens: false).Select(tokenizer.TokenText)));
    }

    [Fact]
    public void Encode_BertAndRobertaProcessing_PutTheirTokensAround()
    {
        var file = TokenizerFixture.File();
        file["post_processor"] = JsonNode.Parse("""{"type": "RobertaProcessing", "sep": ["s", 2], "cls": ["c", 1], "trim_offsets": true, "add_prefix_space": false}""");
        var tokenizer = TokenizerVectors.Parse(file.ToJsonString());
        Assert.Equal([1, 'x', 2], tokenizer.Encode("x", addSpecialTokens: true));
        Assert.Equal(['x'], tokenizer.Encode("x", addSpecialTokens: false));
    }

    [Theory]
    [InlineData("""{"type": "WordPiece", "prefix": "##", "cleanup": false}""", "un ##related words", "unrelated words")]
    [InlineData("""{"type": "BPEDecoder", "suffix": "</w>"}""", "a b</w> c</w>", "ab c")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}""", "▁a ▁b c▁d", "a bc d")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}""", "▁a ▁b", " a b")]
    [InlineData("""{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": "x", "start": 1, "stop": 2}]}""", "xx a xx x", "xax")]
    [InlineData("""{"type": "Strip", "content": "x", "start": 1, "stop": 0}""", "xxa xb", "xab")]
    [InlineData("null", "a b", "a b")]
    public void Decode_EachDecoder_IsAsTheReference(string decoder, string tokens, string expected)
    {
        var vocabulary = new JsonObject();
        var texts = tokens.Split(' ');
        foreach (var text in texts.Distinct()) vocabulary[text] = vocabulary.Count;
        var file = TokenizerFixture.File();
        file["decoder"] = JsonNode.Parse(decoder);
        file["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() };
        var tokenizer = TokenizerVectors.Parse(file.ToJsonString());
        int[] ids = [.. texts.Select(text => tokenizer.IdOf(text)!.Value)];
        Assert.Equal(expected, tokenizer.Decode(ids, skipSpecialTokens: true));
        Assert.Equal(expected, Streamed(tokenizer, ids));
    }

    [Fact]
    public void Stream_OfRandomTokens_IsTheDecodedTextInWholeCharacters()
    {
        foreach (var name in TokenizerVectors.Names)
        {
            var (tokenizer, cases) = TokenizerVectors.Read(name);
            var random = new Random(11);
            for (var round = 0; round < 100; round++)
            {
                int[] ids = round < 50
                    ? [.. Enumerable.Range(0, 40).Select(_ => random.Next(tokenizer.VocabularySize + 5))]
                    : tokenizer.Encode(cases[round].GetProperty("text").GetString()!, addSpecialTokens: true);
                Assert.Equal(tokenizer.Decode(ids, skipSpecialTokens: true), Streamed(tokenizer, ids));
            }
        }
    }

    [Fact]
    public void Stream_OfBytesOfACharacter_SaysNothingUntilItIsWhole()
    {
        var stream = TokenizerFixture.Bytes().StartDetokenizer(skipSpecialTokens: true);
        Assert.Equal(["", "", "", "😀", "a", "", ""], new[] { 0xF0, 0x9F, 0x98, 0x80, 'a', 0xE2, 0x82 }.Select(stream.Append));
        Assert.Equal("\uFFFD", stream.Finish());
    }

    // The base library's decoder with a memory must agree with its decoder without one, wherever bytes are cut.
    [Fact]
    public void Decode_RandomBytes_IsWhatUtf8DecodingGives()
    {
        var tokenizer = TokenizerFixture.Bytes();
        var random = new Random(8);
        byte[] interesting = [0x20, 0x41, 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF];
        for (var round = 0; round < 2000; round++)
        {
            var bytes = Enumerable.Range(0, random.Next(1, 12)).Select(_ => interesting[random.Next(interesting.Length)]).ToArray();
            Assert.Equal(Encoding.UTF8.GetString(bytes), tokenizer.Decode([.. bytes.Select(value => (int)value)], skipSpecialTokens: false));
        }
    }

    [Fact]
    public void BytesOf_Tokens_AreWhatTheyAddToAText()
    {
        var (tokenizer, _) = TokenizerVectors.Read("llama3");
        Assert.Equal(" the"u8.ToArray(), tokenizer.BytesOf(tokenizer.IdOf("Ġthe")!.Value).ToArray());
        Assert.True(tokenizer.BytesOf(tokenizer.IdOf("<|end|>")!.Value).IsEmpty);
        Assert.Equal("<tool_call>"u8.ToArray(), tokenizer.BytesOf(tokenizer.IdOf("<tool_call>")!.Value).ToArray());
        Assert.True(tokenizer.IsSpecial(tokenizer.IdOf("<|user|>")!.Value));
        Assert.False(tokenizer.IsSpecial(tokenizer.IdOf("<tool_call>")!.Value));
        Assert.True(tokenizer.BytesOf(tokenizer.VocabularySize).IsEmpty);
        Assert.Equal("", tokenizer.TokenText(-1));
        var (sentences, _) = TokenizerVectors.Read("llama2");
        Assert.Equal([0xF0], sentences.BytesOf(sentences.IdOf("<0xF0>")!.Value).ToArray());
    }

    [Fact]
    public async Task Encode_FromManyThreads_GivesEachTheSame()
    {
        var (tokenizer, cases) = TokenizerVectors.Read("o200k");
        var texts = cases.Select(each => each.GetProperty("text").GetString()!).ToArray();
        var expected = texts.Select(text => tokenizer.Encode(text, addSpecialTokens: false)).ToArray();
        var (fresh, _) = TokenizerVectors.Read("o200k");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var index = 0; index < texts.Length; index++) Assert.Equal(expected[index], fresh.Encode(texts[index], addSpecialTokens: false));
        })));
    }

    // Of the pairs that may be merged the one of the lowest rank, the leftmost of equals; -1 where none is left.
    private static int NextMerge(List<string> row, (string Left, string Right)[] merges)
    {
        foreach (var pair in merges)
            for (var at = 0; at + 1 < row.Count; at++)
                if ((row[at], row[at + 1]) == pair) return at;
        return -1;
    }

    private static Tokenizer WithAdded(string added, string normalizer)
    {
        var file = TokenizerFixture.File(normalizer);
        file["added_tokens"] = JsonNode.Parse(added);
        return TokenizerVectors.Parse(file.ToJsonString());
    }

    private static string Streamed(Tokenizer tokenizer, int[] ids)
    {
        var stream = tokenizer.StartDetokenizer(skipSpecialTokens: true);
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            var part = stream.Append(id);
            Assert.False(part.Length > 0 && (char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0])));
            text.Append(part);
        }

        return text.Append(stream.Finish()).ToString();
    }
}
