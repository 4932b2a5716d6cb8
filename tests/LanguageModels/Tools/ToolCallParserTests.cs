using OpenGradient.Engine.LanguageModels.Tools;

namespace OpenGradient.Engine.LanguageModels.Tests.Tools;

public sealed class ToolCallParserTests
{
    private static readonly string[] Offered = ["weather", "time"];

    public static TheoryData<string, bool, string, string> Answers => new()
    {
        // text, whether a call was expected, content, calls
        { "Hello there.", false, "Hello there.", "" },
        { "  spaces  ", false, "  spaces  ", "" },
        { "", false, "", "" },
        { "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>", false, "", "weather{\"city\": \"Oslo\"}" },
        { "Let me see.\n\n<tool_call>{\"name\":\"time\",\"arguments\":{}}</tool_call>", false, "Let me see.", "time{}" },
        { "<tool_call>{\"name\":\"time\",\"arguments\":{}}</tool_call>\n<tool_call>\n{\"name\":\"weather\",\"arguments\":{\"a\":[1,{\"b\":\"}\"}]}}\n</tool_call>\n", false, "", "time{}|weather{\"a\":[1,{\"b\":\"}\"}]}" },
        { "<tool_call>{\"name\":\"time\",\"arguments\":{}}</tool_call> and more", false, " and more", "time{}" },
        { "<tool_call>{\"name\":\"time\",\"arguments\":{}}", false, "", "time{}" },
        { "<tool_call>{\"name\":\"time\",\"arguments\":{}", false, "<tool_call>{\"name\":\"time\",\"arguments\":{}", "" },
        { "<tool_call>not json</tool_call>", false, "<tool_call>not json</tool_call>", "" },
        { "a <tool_call>{\"name\":\"nothing\",\"arguments\":{}}</tool_call> b", false, "a <tool_call>{\"name\":\"nothing\",\"arguments\":{}}</tool_call> b", "" },
        { "<tool_call>{\"name\":\"time\",\"arguments\":[1]}</tool_call>", false, "<tool_call>{\"name\":\"time\",\"arguments\":[1]}</tool_call>", "" },
        { "<tool_call>oops <tool_call>{\"name\":\"time\"}</tool_call>", false, "<tool_call>oops", "time{}" },
        { "2 < 3 and <tool> is no <tool_cal", false, "2 < 3 and <tool> is no <tool_cal", "" },
        { "{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}", false, "", "weather{\"city\": \"Rome\"}" },
        { "<|python_tag|>{\"name\": \"weather\", \"parameters\": {}}", false, "", "weather{}" },
        { "\n<|python_tag|>{\"type\":\"function\",\"name\":\"time\",\"parameters\":{}}; {\"name\":\"weather\",\"parameters\":{\"x\":1}}", false, "", "time{}|weather{\"x\":1}" },
        { "{\"type\":\"function\",\"function\":{\"name\":\"time\",\"arguments\":\"{\\\"zone\\\":\\\"CET\\\"}\"}}", false, "", "time{\"zone\":\"CET\"}" },
        { "{\"name\": \"other\", \"parameters\": {}}", false, "{\"name\": \"other\", \"parameters\": {}}", "" },
        { "{\"answer\": 42}", false, "{\"answer\": 42}", "" },
        { "{\"name\": \"weather\"", false, "{\"name\": \"weather\"", "" },
        { "{}", false, "{}", "" },
        { "{braces} in a sentence", false, "{braces} in a sentence", "" },
        { "[{\"name\":\"time\",\"arguments\":{}}]", false, "[{\"name\":\"time\",\"arguments\":{}}]", "" },
        { "[{\"name\":\"time\",\"arguments\":{}}, {\"name\":\"weather\",\"arguments\":{\"c\":\"]\"}}]", true, "", "time{}|weather{\"c\":\"]\"}" },
        { "[{\"name\":\"time\",\"arguments\":{}}, 5]", true, "[{\"name\":\"time\",\"arguments\":{}}, 5]", "" },
        { "[1, 2]", true, "[1, 2]", "" },
        { "{\"name\":\"time\",\"arguments\":{}}", true, "", "time{}" },
        { "{\"name\":\"\\ud800\",\"arguments\":{}}", true, "{\"name\":\"\\ud800\",\"arguments\":{}}", "" },
        { "{\"name\":\"time\",\"arguments\":" + new string('[', 500) + "}", true, "{\"name\":\"time\",\"arguments\":" + new string('[', 500) + "}", "" },
    };

    [Theory, MemberData(nameof(Answers))]
    public void Answer_InAnyPieces_IsDividedAlike(string text, bool expectsCall, string content, string calls)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var parser = new ToolCallParser(Offered, expectsCall);
            var found = "";
            for (var at = 0; at < text.Length;)
            {
                var length = seed switch { 0 => text.Length, 1 => 1, _ => random.Next(1, 12) };
                length = Math.Min(length, text.Length - at);
                found += parser.Append(text.Substring(at, length));
                at += length;
            }

            found += parser.Finish();
            Assert.Equal(content, found);
            Assert.Equal(calls, string.Join('|', parser.Calls.Select(call => call.Name + call.Arguments)));
        }
    }

    [Fact]
    public void Append_OrdinaryText_IsPassedOnAtOnce()
    {
        var parser = new ToolCallParser(Offered);

        Assert.Equal("Once upon", parser.Append("Once upon"));
        // White space and the beginning of a tag are held back until it is clear what they belong to.
        Assert.Equal("", parser.Append(" "));
        Assert.Equal(" a", parser.Append("a <"));
        Assert.Equal(" <b", parser.Append("b"));
    }

    [Fact]
    public void Append_JsonThatBeginsNoCall_IsPassedOnBeforeItEnds()
    {
        var parser = new ToolCallParser(Offered, expectsCall: true);

        Assert.Equal("{\"answer\":", parser.Append("{\"answer\": "));
        Assert.Equal(" 12", parser.Append("12"));
    }

    [Fact]
    public void Append_WithoutTools_PassesEverything()
    {
        var parser = new ToolCallParser([]);

        Assert.Equal("<tool_call>{\"name\":", parser.Append("<tool_call>{\"name\":"));
        Assert.Equal("", parser.Finish());
        Assert.Empty(parser.Calls);
    }
}
