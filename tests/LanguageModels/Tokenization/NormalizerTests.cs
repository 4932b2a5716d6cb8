using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

public sealed class NormalizerTests
{
    public static TheoryData<string> Forms => ["NFC", "NFD", "NFKC", "NFKD"];

    [Theory, MemberData(nameof(Forms))]
    public void UnicodeForm_OfGeneratedText_IsWhatTheReferenceGives(string form)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TokenizerVectors.Folder, "forms.json")));
        foreach (var each in document.RootElement.GetProperty("cases").EnumerateArray())
            Assert.Equal(each.GetProperty(form).GetString(), TokenizerFixture.Normalized($$"""{"type": "{{form}}"}""", each.GetProperty("text").GetString()!));
    }

    // Without ICU the base library leaves text as it is. If this ever fails, our own tables are no longer needed.
    [Fact]
    public void BaseLibrary_WithoutIcu_DoesNotNormalize() => Assert.Equal("e\u0301", "e\u0301".Normalize(NormalizationForm.FormC));

    [Fact]
    public void UnicodeForm_OfAHundredThousandMarks_TakesNoQuadraticTime()
    {
        var marks = new StringBuilder("a");
        for (var count = 0; count < 100_000; count++) marks.Append(count % 2 == 0 ? '\u0301' : '\u0316');
        Assert.Equal(100_000, TokenizerFixture.Normalized("""{"type": "NFC"}""", marks.ToString()).Length);
    }

    [Theory]
    [InlineData("""{"type": "Lowercase"}""", "ÀÉ ΣΑΣ İI 𐐀", "àé σασ i\u0307i 𐐨")]
    [InlineData("""{"type": "StripAccents"}""", "e\u0301a\u20DDx", "eax")]
    [InlineData("""{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}""", "Éñü", "Enu")]
    [InlineData("""{"type": "Strip"}""", " \t a b\u3000\n", "a b")]
    [InlineData("""{"type": "Strip", "strip_left": true, "strip_right": false}""", "  a  ", "a  ")]
    [InlineData("""{"type": "Nmt"}""", "a\u0001\u200Bb\tc\u007Fd\uFEFF", "a b cd ")]
    [InlineData("""{"type": "Prepend", "prepend": "▁"}""", "a", "▁a")]
    [InlineData("""{"type": "Prepend", "prepend": "▁"}""", "", "")]
    [InlineData("""{"type": "Replace", "pattern": {"String": "ab"}, "content": "$1\\1"}""", "xababy", "x$1\\1$1\\1y")]
    [InlineData("""{"type": "Replace", "pattern": {"Regex": "\\s{2,}"}, "content": "-"}""", "a  b c \n", "a-b c-")]
    [InlineData("""{"type": "Replace", "pattern": {"String": ""}, "content": "x"}""", "ab", "ab")]
    public void Normalizer_OfText_IsAsTheReferenceHasIt(string normalizer, string text, string expected) => Assert.Equal(expected, TokenizerFixture.Normalized(normalizer, text));

    [Fact]
    public void Precompiled_WithRules_ReplacesWholeClustersBeforeLetters()
    {
        // A double array for two keys: "A" becomes "bc", and the two bytes of é become nothing.
        var map = DoubleArray(("A", 0), ("é", 3));
        var replacements = Encoding.UTF8.GetBytes("bc\0\0");
        var bytes = BitConverter.GetBytes(map.Length * 4).Concat(map.SelectMany(BitConverter.GetBytes)).Concat(replacements).ToArray();
        var normalizer = $$"""{"type": "Precompiled", "precompiled_charsmap": "{{Convert.ToBase64String(bytes)}}"}""";
        Assert.Equal("xbcybcz", TokenizerFixture.Normalized(normalizer, "xAyéAz"));
        // The shortest rule that begins a cluster of up to five bytes replaces all of it, marks included.
        Assert.Equal("bc", TokenizerFixture.Normalized(normalizer, "A\u0301"));
    }

    // Lays nodes out one after the other, each with a block of 256 places of its own: large, and simple to read.
    private static uint[] DoubleArray(params (string Key, int Value)[] keys)
    {
        var nodes = new Dictionary<string, int> { [""] = 0 };
        var sequences = keys.Select(each => (Letters: string.Concat(Encoding.UTF8.GetBytes(each.Key).Select(value => (char)value)), each.Value)).ToArray();
        foreach (var (letters, _) in sequences)
            for (var length = 1; length <= letters.Length; length++) nodes.TryAdd(letters[..length], nodes.Count);
        var units = new uint[(nodes.Count + 1) * 256];
        uint Place(string node) => node.Length == 0 ? 0 : Base(node[..^1]) ^ node[^1];
        uint Base(string node) => (uint)((nodes[node] + 1) * 256);
        foreach (var node in nodes.Keys)
        {
            var value = sequences.Where(each => each.Letters == node).Select(each => (int?)each.Value).SingleOrDefault();
            var place = Place(node);
            // The offset leads from the node's place to its block; value units lie at the block's beginning.
            units[place] = (node.Length == 0 ? 0u : node[^1]) | (value is null ? 0u : 0x100u) | ((place ^ Base(node)) << 10);
            if (value is not null) units[Base(node)] = (uint)value.Value | 0x80000000u;
        }

        return units;
    }
}
