using OpenGradient.Engine.LanguageModels.Generation.Text;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class StopTextsTests
{
    [Theory]
    [InlineData("abcSTOPdef", "abc", "STOP")]
    [InlineData("abcSTO", "abcSTO", null)]
    [InlineData("SSSTOP", "SS", "STOP")]
    [InlineData("STSTOP", "ST", "STOP")]
    [InlineData("", "", null)]
    [InlineData("\n\nEnd", "\n\n", "End")]
    [InlineData("aEnSTOEnd", "aEnSTO", "End")]
    public void Append_AnyDivision_GivesTheTextBeforeTheStop(string text, string expected, string? found)
    {
        for (var piece = 1; piece <= Math.Max(1, text.Length); piece++)
        {
            var stops = new StopTexts(["STOP", "End"]);
            var given = "";
            for (var at = 0; at < text.Length; at += piece)
            {
                given += stops.Append(text[at..Math.Min(text.Length, at + piece)]);
                Assert.StartsWith(given, expected);
            }

            given += stops.Finish();
            Assert.Equal((expected, found), (given, stops.Found));
        }
    }

    [Fact]
    public void Append_BeginningOfAStop_IsHeldBackAndNoMore()
    {
        var stops = new StopTexts(["</s>", "<end>"]);
        Assert.Equal("a ", stops.Append("a <"));
        Assert.Equal("", stops.Append("e"));
        Assert.Equal("<ex", stops.Append("x"));
        Assert.Equal("b", stops.Append("b</s"));
        Assert.Equal("", stops.Append(">never"));
        Assert.Equal("</s>", stops.Found);
        Assert.Equal("", stops.Append("more"));
    }

    /// <summary>Against a search in the whole text, on texts of three letters.</summary>
    [Fact]
    public void Append_RandomTexts_FindsTheEarliest()
    {
        var random = new Random(5);
        string Word(int most) => string.Concat(Enumerable.Range(0, random.Next(1, most)).Select(_ => (char)('a' + random.Next(3))));
        for (var i = 0; i < 3000; i++)
        {
            string[] words = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Word(6))];
            var text = Word(30);
            var stops = new StopTexts(words);
            var given = "";
            for (var at = 0; at < text.Length;)
            {
                var length = Math.Min(random.Next(1, 5), text.Length - at);
                given += stops.Append(text.Substring(at, length));
                at += length;
                // Generation stops here: what a longer stop text would have begun before is not known then.
                if (stops.Found is not null) break;
            }

            given += stops.Finish();
            if (stops.Found is null)
            {
                Assert.DoesNotContain(words, text.Contains);
                Assert.Equal(text, given);
                continue;
            }

            Assert.StartsWith(given + stops.Found, text);
            Assert.DoesNotContain(words, given.Contains);
        }
    }
}
