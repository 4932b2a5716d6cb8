using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

public sealed class PreTokenizerTests
{
    [Theory]
    [InlineData("Removed", false, "a|b|c")]
    [InlineData("Isolated", false, "a|-|-|b|-|c|-")]
    [InlineData("MergedWithPrevious", false, "a-|-|b-|c-")]
    [InlineData("MergedWithNext", false, "a|-|-b|-c|-")]
    [InlineData("Contiguous", false, "a|--|b|-|c|-")]
    [InlineData("Removed", true, "-|-|-|-")]
    [InlineData("Isolated", true, "a|-|-|b|-|c|-")]
    [InlineData("MergedWithPrevious", true, "a|-|-b|-c|-")]
    public void Split_EveryBehavior_DividesAsTheReference(string behavior, bool invert, string expected)
    {
        var split = $$"""{"type": "Split", "pattern": {"String": "-"}, "behavior": "{{behavior}}", "invert": {{(invert ? "true" : "false")}}}""";
        Assert.Equal(expected, string.Join('|', TokenizerFixture.Pieces(split, "a--b-c-")));
    }

    [Theory]
    [InlineData("""{"type": "WhitespaceSplit"}""", " a b\u3000c\n", "a|b|c")]
    [InlineData("""{"type": "Whitespace"}""", "héllo, wörld_1!? x\u0301y", "héllo|,|wörld_1|!?|x\u0301y")]
    [InlineData("""{"type": "BertPreTokenizer"}""", "a,b $c!!", "a|,|b|$|c|!|!")]
    [InlineData("""{"type": "Punctuation", "behavior": "Contiguous"}""", "a,,b“c", "a|,,|b|“|c")]
    [InlineData("""{"type": "Punctuation"}""", "a,,b", "a|,|,|b")]
    [InlineData("""{"type": "Digits", "individual_digits": true}""", "a12b½٣", "a|1|2|b|½|٣")]
    [InlineData("""{"type": "Digits", "individual_digits": false}""", "a12b½٣", "a|12|b|½٣")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}""", "a b  c", "▁a|▁b|▁|▁c")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}""", "a b", "a|▁b")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "add_prefix_space": false}""", "a b", "a|▁b")]
    [InlineData("""{"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "prepend_scheme": "first"}]}""", "a b", "▁a|b")]
    public void PreTokenizer_OfText_DividesAsTheReference(string preTokenizer, string text, string expected) =>
        Assert.Equal(expected, string.Join('|', TokenizerFixture.Pieces(preTokenizer, text)));

    // Each letter of a plane above the first counts once, in sets, negated sets and look-arounds alike.
    [Theory]
    [InlineData(@"\p{L}+", "a𐐀b 𝕏1", "a𐐀b| |𝕏|1")]
    [InlineData(@"\p{N}{1,3}", "1234𝟙𝟚𝟛𝟜", "123|4𝟙𝟚|𝟛𝟜")]
    [InlineData(@"[^\s\p{L}]", "a😀😀b", "a|😀|😀|b")]
    [InlineData(@"😀(?!😀)", "😀😀x", "😀|😀|x")]
    [InlineData(@"(?<=😀)x", "😀xx", "😀|x|x")]
    [InlineData(@"(?i:'S|'k)", "a'ſb'\u212Ac'sd", "a|'ſ|b|'\u212A|c|'s|d")]
    [InlineData(@"(?i)ab|c", "ABC", "AB|C")]
    [InlineData(@"a(?i:b)c", "aBc abC", "aBc| abC")]
    [InlineData(@"x*+x|y", "xxy", "xx|y")]
    [InlineData(@"(?>a|ab)c|.", "abc", "a|b|c")]
    [InlineData(@"a+?", "aaa", "a|a|a")]
    [InlineData(@"(?:ab){2,3}?", "ababab", "abab|ab")]
    [InlineData(@"a{2}+", "aaaaa", "aaaa|a")]
    [InlineData(@"^b|a$", "a\nb", "a|\n|b")]
    [InlineData(@"\w+\b", "été_1 x", "été_1| |x")]
    [InlineData(@"[[:alpha:]&&[^b]]+", "abca", "a|b|ca")]
    [InlineData(@"[\w&&[^\d]]+|[a\-z]", "ab12-", "ab|12|-")]
    [InlineData(@"\p{Han}+|\p{Hiragana}+|\p{Katakana}+", "東京のタワー", "東京|の|タワ|ー")]
    [InlineData(@"\P{L}+|\p{^N}", "a1", "a|1")]
    [InlineData(@"\x{1F600}|\u0041|\h+", "😀Afg", "😀|A|f|g")]
    [InlineData(@"(?#a comment)b{,2}c", "bbc", "bbc")]
    [InlineData(@"a{,x", "a{,x", "a{,x")]
    public void Pattern_OfText_MatchesAsOniguruma(string pattern, string text, string expected)
    {
        var split = $$"""{"type": "Split", "pattern": {"Regex": {{JsonSerializer.Serialize(pattern)}}}, "behavior": "Isolated"}""";
        Assert.Equal(expected.Split('|'), TokenizerFixture.Pieces(split, text));
    }
}
