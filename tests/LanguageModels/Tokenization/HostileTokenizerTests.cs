using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

public sealed class HostileTokenizerTests
{
    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[]", "must be an object")]
    [InlineData("{}", "'model' is missing")]
    [InlineData("""{"model": {"type": "WordPiece"}}""", "the model 'WordPiece' is not understood")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}, "merges": []}, "extra": 1}""", "'extra'")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}}""", "the id 0 is given to 'a' and to 'b'")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0, "a": 1}, "merges": []}}""", "'a' has the ids 0 and 1")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}""", "the id -1")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 2000000000}, "merges": []}}""", "the id 2000000000")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0.5}, "merges": []}}""", "no whole number")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"\ud800": 0}, "merges": []}}""", "well-formed")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]}}""", "merge 0 names 'aa'")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}""", "merge 0 names 'b'")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}""", "merge 0 is not two tokens")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", 1]]}}""", "merge 0 is not two tokens")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "b"}}""", "the unknown token 'b'")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1}}""", "'dropout'")]
    [InlineData("""{"model": {"type": "Unigram", "unk_id": 3, "vocab": [["a", 0]]}}""", "unk_id 3")]
    [InlineData("""{"model": {"type": "Unigram", "vocab": [["a", 0]]}}""", "neither an unk_id")]
    [InlineData("""{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0], ["a", 1]]}}""", "'a' has the ids 0 and 1")]
    [InlineData("""{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a"]]}}""", "vocab[0] is not a token and its score")]
    [InlineData("""{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 1e999]]}}""", "vocab[0]")]
    public void Parse_BrokenFile_SaysWhatIsWrong(string json, string said) => Assert.Contains(said, Refused(json));

    [Theory]
    [InlineData("normalizer", """{"type": "BertNormalizer"}""", "the normalizer 'BertNormalizer'")]
    [InlineData("normalizer", """{"type": "NFC", "version": 15}""", "'version'")]
    [InlineData("normalizer", """{"type": "Precompiled", "precompiled_charsmap": "AAA"}""", "base64")]
    [InlineData("normalizer", """{"type": "Precompiled", "precompiled_charsmap": "/////w=="}""", "longer than the map")]
    [InlineData("pre_tokenizer", """{"type": "UnicodeScripts"}""", "the pre-tokenizer 'UnicodeScripts'")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"String": "a"}, "behavior": "Doubled"}""", "the behavior 'Doubled'")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "prepend_scheme": "first", "add_prefix_space": false}""", "contradicts")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "replacement": "ab"}""", "must be one letter")]
    [InlineData("post_processor", """{"type": "BertProcessing", "cls": ["a", 999], "sep": ["b", 1]}""", "999 is no token's id")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}], "special_tokens": {}}""", "'x' is missing")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [], "special_tokens": {}}""", "leaves the text out")]
    [InlineData("decoder", """{"type": "CTC"}""", "the decoder 'CTC'")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}""", "after Fuse")]
    [InlineData("decoder", """{"type": "Strip", "start": 1000000}""", "from 0 to 64")]
    public void Parse_PartNotUnderstood_IsRefusedByName(string part, string json, string said)
    {
        var file = TokenizerFixture.File();
        file[part] = JsonNode.Parse(json);
        Assert.Contains(said, Refused(file.ToJsonString()));
    }

    [Theory]
    [InlineData("[{\"id\": 0, \"content\": \"x\"}]", "the id 0 is '<0x00>' in the vocabulary")]
    [InlineData("[{\"id\": 300, \"content\": \"<0x01>\"}]", "has the id 1 in the vocabulary and 300")]
    [InlineData("[{\"id\": 300, \"content\": \"x\"}, {\"id\": 300, \"content\": \"y\"}]", "added twice")]
    [InlineData("[{\"id\": 300, \"content\": \"\"}]", "without a text")]
    [InlineData("[{\"id\": 99999999, \"content\": \"x\"}]", "the id 99999999")]
    public void Parse_AddedTokens_MustAgreeWithTheVocabulary(string added, string said)
    {
        var file = TokenizerFixture.File();
        file["added_tokens"] = JsonNode.Parse(added);
        Assert.Contains(said, Refused(file.ToJsonString()));
    }

    [Theory]
    [InlineData("(", "without its end")]
    [InlineData("a)", "closes nothing")]
    [InlineData("[a", "without its end")]
    [InlineData("[]", "without its end")]
    [InlineData("[b-a]", "end is before its beginning")]
    [InlineData("*a", "a repetition of nothing")]
    [InlineData("(a)\\1", "\\1")]
    [InlineData("\\p{Klingon}", "the property 'Klingon'")]
    [InlineData("\\pL", "without braces")]
    [InlineData("(?<=a+)b", "a look-behind without a fixed length")]
    [InlineData("(a*)*", "of what may be empty")]
    [InlineData("a{5000}", "more than 1000 times")]
    [InlineData("((a{1000}){1000}){1000}", "instructions")]
    [InlineData("(?x)a", "the group '(?x'")]
    [InlineData("\\Ga", "\\G")]
    [InlineData("a\\", "ends in the middle")]
    public void Parse_PatternNotUnderstood_IsRefused(string pattern, string said) => Assert.Contains(said, Refused(WithPattern(pattern)));

    [Fact]
    public void Parse_DeepNesting_IsRefusedAndNotFollowed()
    {
        Assert.Contains("deep", Refused(WithPattern(new string('(', 5000) + "a" + new string(')', 5000))));
        Assert.Contains("deep", Refused(WithPattern(new string('[', 5000) + "a" + new string(']', 5000))));
        var normalizer = """{"type": "NFC"}""";
        for (var depth = 0; depth < 20; depth++) normalizer = $$"""{"type": "Sequence", "normalizers": [{{normalizer}}]}""";
        Assert.Contains("deep", Refused(TokenizerFixture.File(normalizer).ToJsonString()));
    }

    [Fact]
    public void Encode_PatternThatBacktracksWithoutEnd_IsStopped()
    {
        var tokenizer = TokenizerVectors.Parse(WithPattern("(?:a+)+b"));
        var error = Assert.Throws<TokenizerException>(() => tokenizer.Encode(new string('a', 2000), addSpecialTokens: false));
        Assert.Contains("too many steps", error.Message);
        Assert.Equal([(int)'a', 'b'], tokenizer.Encode("ab", addSpecialTokens: false));
    }

    [Fact]
    public void Parse_RandomDamage_IsRefusedOrUnderstoodButNeverCrashes()
    {
        var whole = File.ReadAllText(Path.Combine(TokenizerVectors.Folder, "unigram.json"));
        using var document = JsonDocument.Parse(whole);
        var bytes = Encoding.UTF8.GetBytes(document.RootElement.GetProperty("tokenizer").GetRawText());
        var random = new Random(5);
        for (var round = 0; round < 300; round++)
        {
            var damaged = bytes.ToArray();
            for (var change = random.Next(1, 6); change > 0; change--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                Tokenizer.Parse(damaged).Encode("A text, 123 and é 😀", addSpecialTokens: true);
            }
            catch (TokenizerException)
            {
                // A refusal is an answer.
            }
        }
    }

    private static string WithPattern(string pattern) =>
        TokenizerFixture.File(preTokenizer: $$"""{"type": "Split", "pattern": {"Regex": {{JsonSerializer.Serialize(pattern)}}}, "behavior": "Isolated"}""").ToJsonString();

    private static string Refused(string json) => Assert.Throws<TokenizerException>(() => TokenizerVectors.Parse(json)).Message;
}
