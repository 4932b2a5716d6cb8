using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Chat;

public sealed class ChatPromptTests
{
    private const string Plain = "{% for message in messages %}[{{ message.role }}|{{ message.content }}]{% endfor %}";
    private const string Knowing = Plain + "{% if tools %}{{ tools | tojson }}{% endif %}";
    private const string WeatherTool = """{"type":"function","function":{"name":"weather","description":"d","parameters":{"type":"object","properties":{"city":{"$ref":"#/$defs/c"}},"required":["city"],"$defs":{"c":{"enum":["Oslo","Rome"]}}}}}""";
    private const string TimeTool = """{"type":"function","function":{"name":"time"}}""";

    private static readonly Tokenizer Bytes = Tokenizer.Parse(Encoding.UTF8.GetBytes(TinyTokenizer.Json()));

    [Fact]
    public void Create_Messages_AreNormalizedForTemplates()
    {
        var prompt = Create("""
            [{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"é"}]},{"role":"assistant","content":null}]
            """);

        Assert.Equal("[system|Be brief.][user|aé][assistant|]", prompt.Text);
        Assert.Equal(TinyTokenizer.Encode(prompt.Text), prompt.Tokens.ToArray());
        Assert.Null(prompt.Constraint);
        Assert.Equal("<tool_call>", prompt.StartParser().Append("<tool_call>"));
    }

    [Fact]
    public void Create_TemplateThatPrintsTools_GetsThemAsTheyAre()
    {
        var prompt = Create("""[{"role":"user","content":"x"}]""", $"[{WeatherTool}]", template: Knowing);

        Assert.StartsWith("[user|x]", prompt.Text, StringComparison.Ordinal);
        Assert.Contains("weather", prompt.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<tools>", prompt.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"role":"user","content":"x"}]""", "[system|You can call tools.")]
    [InlineData("""[{"role":"system","content":"s"},{"role":"user","content":"x"}]""", "[system|s\n\nYou can call tools.")]
    public void Create_TemplateWithoutTools_IsToldInTheSystemMessage(string messages, string beginning)
    {
        var prompt = Create(messages, $"[{WeatherTool}]");

        Assert.StartsWith(beginning, prompt.Text, StringComparison.Ordinal);
        Assert.Contains("""{"type":"function","function":{"name":"weather""", prompt.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_CallsAndResults_AreObjectsForTemplatesAndTextForOthers()
    {
        const string Messages = """
            [{"role":"user","content":"x"},{"role":"assistant","content":"One moment.","tool_calls":[{"id":"1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]},{"role":"tool","tool_call_id":"1","content":"dry"}]
            """;

        Assert.Contains("[assistant|One moment.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\":\"Oslo\"}}\n</tool_call>][user|<tool_response>\ndry\n</tool_response>]", Create(Messages).Text, StringComparison.Ordinal);
        var shown = Create(Messages, $"[{WeatherTool}]", template: Knowing + "{{ messages[1].tool_calls[0].function.arguments.city }}");
        Assert.EndsWith("Oslo", shown.Text, StringComparison.Ordinal);
        Assert.Contains("[tool|dry]", shown.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5", "messages")]
    [InlineData("[]", "messages")]
    [InlineData("[5]", "messages[0]")]
    [InlineData("""[{"content":"x"}]""", "messages[0].role")]
    [InlineData("""[{"role":"king","content":"x"}]""", "messages[0].role")]
    [InlineData("""[{"role":"user"}]""", "messages[0].content")]
    [InlineData("""[{"role":"user","content":5}]""", "messages[0].content")]
    [InlineData("""[{"role":"user","content":"\ud800"}]""", "messages[0].content")]
    [InlineData("""[{"role":"user","content":[{"type":"image_url"}]}]""", "messages[0].content[0].type")]
    [InlineData("""[{"role":"user","content":[{"type":"text"}]}]""", "messages[0].content[0].text")]
    [InlineData("""[{"role":"assistant","tool_calls":5}]""", "messages[0].tool_calls")]
    [InlineData("""[{"role":"assistant","tool_calls":[{}]}]""", "messages[0].tool_calls[0]")]
    public void Create_Messages_AreRefusedByPlace(string messages, string parameter) =>
        Assert.Equal(parameter, Assert.Throws<ChatPromptException>(() => Create(messages)).Parameter);

    [Theory]
    [InlineData("5", "tools")]
    [InlineData("[5]", "tools[0]")]
    [InlineData("""[{"type":"retrieval"}]""", "tools[0].type")]
    [InlineData("""[{"type":"function"}]""", "tools[0].function")]
    [InlineData("""[{"type":"function","function":{}}]""", "tools[0].function.name")]
    [InlineData("""[{"type":"function","function":{"name":"a b"}}]""", "tools[0].function.name")]
    [InlineData("""[{"type":"function","function":{"name":"a","parameters":[]}}]""", "tools[0].function.parameters")]
    [InlineData("""[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]""", "tools[1]")]
    public void Create_Tools_AreRefusedByPlace(string tools, string parameter) =>
        Assert.Equal(parameter, Assert.Throws<ChatPromptException>(() => Create("""[{"role":"user","content":"x"}]""", tools)).Parameter);

    [Fact]
    public void Create_RequiredCall_IsOneOfTheToolsWithItsArguments()
    {
        var prompt = Create("""[{"role":"user","content":"x"}]""", $"[{WeatherTool},{TimeTool}]", ToolChoice.Required);

        Assert.True(Accepts(prompt, """{"name":"weather","arguments":{"city":"Oslo"}}"""));
        Assert.True(Accepts(prompt, """{"name": "time", "arguments": {}}"""));
        Assert.False(Accepts(prompt, """{"name":"weather","arguments":{"city":"Bonn"}}"""));
        Assert.False(Accepts(prompt, """{"name":"weather","arguments":{}}"""));
        Assert.False(Accepts(prompt, """{"name":"stocks","arguments":{}}"""));
        Assert.False(Accepts(prompt, """[{"name":"time","arguments":{}}]"""));
        var parser = prompt.StartParser();
        Assert.Equal("", parser.Append("""{"name": "time", "arguments": {}}""") + parser.Finish());
        Assert.Equal("time", Assert.Single(parser.Calls).Name);
    }

    [Fact]
    public void Create_NamedToolAndSeveralCalls_AreTheChoice()
    {
        var named = Create("""[{"role":"user","content":"x"}]""", $"[{WeatherTool},{TimeTool}]", ToolChoice.Of("time"));
        Assert.False(Accepts(named, """{"name":"weather","arguments":{"city":"Oslo"}}"""));
        Assert.True(Accepts(named, """{"name":"time","arguments":{}}"""));

        var several = Create("""[{"role":"user","content":"x"}]""", $"[{WeatherTool},{TimeTool}]", ToolChoice.Required, several: true);
        Assert.True(Accepts(several, """[{"name":"time","arguments":{}}, {"name":"weather","arguments":{"city":"Rome"}}]"""));
        Assert.False(Accepts(several, "[]"));
    }

    [Fact]
    public void Create_ToolWhoseSchemaCannotBeEnforced_IsAnyObjectUnlessStrict()
    {
        const string Tool = """{"type":"function","function":{"name":"f","parameters":{"type":"object","patternProperties":{}}STRICT}}""";

        var loose = Create("""[{"role":"user","content":"x"}]""", $"[{Tool.Replace("STRICT", "", StringComparison.Ordinal)}]", ToolChoice.Required);
        Assert.True(Accepts(loose, """{"name":"f","arguments":{"a":[1]}}"""));
        Assert.False(Accepts(loose, """{"name":"f","arguments":[]}"""));
        var strict = Assert.Throws<ChatPromptException>(() => Create("""[{"role":"user","content":"x"}]""", $"[{Tool.Replace("STRICT", ",\"strict\":true", StringComparison.Ordinal)}]", ToolChoice.Required));
        Assert.Equal("tools", strict.Parameter);
        Assert.Contains("'f'", strict.Message, StringComparison.Ordinal);
        Assert.Contains("patternProperties", strict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_ToolsBesideAFormat_AllowEither()
    {
        var prompt = Create(
            """[{"role":"user","content":"x"}]""", $"[{WeatherTool}]", format: AnswerFormat.JsonSchema("""{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"required":["n"],"$defs":{"n":{"type":"integer"}}}"""u8.ToArray()));

        Assert.True(Accepts(prompt, """{"n":4}"""));
        Assert.True(Accepts(prompt, """{"name":"weather","arguments":{"city":"Rome"}}"""));
        Assert.False(Accepts(prompt, """{"city":"Rome"}"""));
        var parser = prompt.StartParser();
        Assert.Equal("""{"n":4}""", parser.Append("""{"n":4}""") + parser.Finish());
        var refused = Assert.Throws<ChatPromptException>(() => Create("""[{"role":"user","content":"x"}]""", $"[{WeatherTool}]", format: AnswerFormat.JsonSchema("""{"properties":{"a":{"not":{}}}}"""u8.ToArray())));
        Assert.Contains("#/properties/a", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"required\"")]
    [InlineData("""{"type":"function","function":{"name":"weather"}}""")]
    public void Create_ChoiceWithoutItsTool_IsRefused(string choice) =>
        Assert.Equal("tool_choice", Assert.Throws<ChatPromptException>(() => Create("""[{"role":"user","content":"x"}]""", choice: ToolChoice.Parse(Parse(choice)))).Parameter);

    [Theory]
    [InlineData("\"always\"")]
    [InlineData("5")]
    [InlineData("{}")]
    [InlineData("""{"type":"function","function":{"name":5}}""")]
    public void ToolChoice_Other_IsRefused(string choice) => Assert.Throws<ChatPromptException>(() => ToolChoice.Parse(Parse(choice)));

    [Theory]
    [InlineData("5")]
    [InlineData("{}")]
    [InlineData("""{"type":"xml"}""")]
    [InlineData("""{"type":"json_schema"}""")]
    [InlineData("""{"type":"json_schema","json_schema":{"name":"x"}}""")]
    public void AnswerFormat_Other_IsRefused(string format) => Assert.Throws<ChatPromptException>(() => AnswerFormat.Parse(Parse(format)));

    [Fact]
    public void Create_TemplateThatRaises_SaysSo() => Assert.Contains(
        "only two", Assert.Throws<ChatPromptException>(() => Create("""[{"role":"user","content":"x"}]""", template: "{{ raise_exception('only two') }}")).Message, StringComparison.Ordinal);

    private static ChatPrompt Create(
        string messages, string? tools = null, ToolChoice? choice = null, string template = Plain, AnswerFormat? format = null, bool several = false) =>
        ChatPrompt.Create(
            new LanguageModelParts { Name = "m", Version = "1", Runtime = new FakeRuntime(), Tokenizer = Bytes, Template = ChatTemplate.Parse(template), EndTokens = [] },
            new ChatPromptInput
            {
                Messages = Parse(messages), Tools = tools is null ? null : Parse(tools), ToolChoice = choice ?? ToolChoice.Auto, Format = format ?? AnswerFormat.Text, AllowsSeveralCalls = several,
            });

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static bool Accepts(ChatPrompt prompt, string text)
    {
        var constraint = prompt.Constraint!.Start();
        try
        {
            foreach (var token in TinyTokenizer.Encode(text)) constraint.Advance(token);
            return constraint.MayEnd;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
