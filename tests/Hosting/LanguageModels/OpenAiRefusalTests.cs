using System.Text;

namespace OpenGradient.Engine.Hosting.Tests.LanguageModels;

/// <summary>What callers do wrong, and what they are told: status, the field, and a code, in that API's form.</summary>
public sealed class OpenAiRefusalTests(LanguageModelHost host) : IClassFixture<LanguageModelHost>
{
    private const string Chat = "v1/chat/completions", Completions = "v1/completions", Embeddings = "v1/embeddings";
    private const string Hi = """ "messages":[{"role":"user","content":"hi"}] """;

    [Theory]
    [InlineData("", null, "invalid_json")]
    [InlineData("{", null, "invalid_json")]
    [InlineData("[]", null, "invalid_json")]
    [InlineData("""{"model":"tiny","model":"tiny"}""", null, "invalid_json")]
    [InlineData("""{"model":"tiny","messages":[{"role":"user","content":"\ud800"}]}""", null, "invalid_json")]
    [InlineData("{}", "model", "missing_required_parameter")]
    [InlineData("""{"model":7}""", "model", "invalid_type")]
    [InlineData("""{"model":"tiny"}""", "messages", "missing_required_parameter")]
    [InlineData("""{"model":"tiny","messages":[]}""", "messages", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":"hi"}""", "messages", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":[{"role":"wizard","content":"hi"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":[{"role":"function","name":"f","content":"hi"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":[{"content":"hi"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":[{"role":"user"}]}""", "messages[0].content", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", "messages[0].content[0].type", "invalid_value")]
    [InlineData("""{"model":"tiny","messages":[{"role":"user","content":[{"type":"input_audio"}]}]}""", "messages[0].content[0].type", "invalid_value")]
    public async Task Chat_BadBody_IsRefusedByField(string body, string? param, string code)
    {
        var error = (await host.Post(Chat, body)).Expect(400).Error;
        Assert.Equal((param, code, "invalid_request_error"), (error.GetProperty("param").GetString(), error.GetProperty("code").GetString(), error.GetProperty("type").GetString()));
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Theory]
    [InlineData("\"temperature\":-0.1", "temperature")]
    [InlineData("\"temperature\":2.1", "temperature")]
    [InlineData("\"temperature\":1e400", "temperature")]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"top_p\":1.1", "top_p")]
    [InlineData("\"top_k\":-2", "top_k")]
    [InlineData("\"min_p\":2", "min_p")]
    [InlineData("\"repetition_penalty\":0", "repetition_penalty")]
    [InlineData("\"presence_penalty\":3", "presence_penalty")]
    [InlineData("\"frequency_penalty\":-3", "frequency_penalty")]
    [InlineData("\"n\":0", "n")]
    [InlineData("\"n\":9", "n")]
    [InlineData("\"n\":1.5", "n")]
    [InlineData("\"max_tokens\":0", "max_tokens")]
    [InlineData("\"max_completion_tokens\":-1", "max_completion_tokens")]
    [InlineData("\"max_tokens\":1,\"max_completion_tokens\":2", "max_tokens")]
    [InlineData("\"seed\":1.5", "seed")]
    [InlineData("\"seed\":99999999999999999999", "seed")]
    [InlineData("\"stop\":\"\"", "stop")]
    [InlineData("\"stop\":[1]", "stop[0]")]
    [InlineData("\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]", "stop")]
    [InlineData("\"logit_bias\":{\"x\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"7\":101}", "logit_bias.7")]
    [InlineData("\"logit_bias\":{\"7\":1,\"07\":2}", "logit_bias")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":21", "top_logprobs")]
    [InlineData("\"top_logprobs\":2", "top_logprobs")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "stream_options")]
    [InlineData("\"audio\":{\"voice\":\"x\"}", "audio")]
    [InlineData("\"modalities\":[\"text\",\"audio\"]", "modalities")]
    [InlineData("\"functions\":[]", "functions")]
    [InlineData("\"prediction\":{}", "prediction")]
    [InlineData("\"reasoning_effort\":\"high\"", "reasoning_effort")]
    [InlineData("\"store\":true", "store")]
    [InlineData("\"service_tier\":\"flex\"", "service_tier")]
    [InlineData("\"response_format\":{\"type\":\"xml\"}", "response_format.type")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\"}", "response_format.json_schema")]
    [InlineData("\"tools\":[{\"type\":\"retrieval\"}]", "tools[0].type")]
    [InlineData("\"tool_choice\":\"required\"", "tool_choice")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}", "tool_choice")]
    [InlineData("\"chat_template_kwargs\":{\"messages\":[]}", "chat_template_kwargs")]
    public async Task Chat_BadParameter_IsRefusedByName(string fields, string param)
    {
        var error = (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}},{{fields}}}""")).Expect(400).Error;
        Assert.Equal(param, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task Chat_UnknownField_IsIgnored() =>
        (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}},"max_tokens":1,"user":"u","metadata":{"a":"b"},"something_new":1}""")).Expect(200);

    [Fact]
    public async Task Chat_BytesThatAreNoUtf8_AreRefused()
    {
        byte[] body = [.. Encoding.UTF8.GetBytes("""{"model":"tiny","messages":[{"role":"user","content":" """.TrimEnd()), 0xff, .. "\"}]}"u8];
        Assert.Contains("UTF-8", (await host.PostBytes(Chat, body)).Expect(400).Error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Chat_UnknownModel_Is404()
    {
        var error = (await host.Post(Chat, $$"""{"model":"gpt-4o",{{Hi}}}""")).Expect(404).Error;
        Assert.Equal(("model", "model_not_found"), (error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal("model_not_found", (await host.Get("v1/models/gpt-4o")).Expect(404).Error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Chat_PromptBeyondTheContext_IsRefused()
    {
        var words = new string('x', LanguageModelHost.Context);
        var error = (await host.Post(Chat, $$"""{"model":"tiny","messages":[{"role":"user","content":"{{words}}"}]}""")).Expect(400).Error;
        Assert.Equal(("messages", "context_length_exceeded"), (error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal("context_length_exceeded", (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}},"max_tokens":{{LanguageModelHost.Context}}}""")).Expect(400).Error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Chat_BodyOverTheCap_Is413()
    {
        var error = (await host.Post(Chat, $$"""{"model":"tiny","messages":[{"role":"user","content":"{{new string('x', 1 << 20)}}"}]}""")).Expect(413).Error;
        Assert.Equal("request_too_large", error.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/nowhere"}}}""")]
    [InlineData("""{"type":"object","not":{}}""")]
    [InlineData("""false""")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""")]
    public async Task Chat_SchemaThatNothingSatisfies_IsRefused(string schema)
    {
        var body = $$"""{"model":"tiny",{{Hi}},"max_tokens":20,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{{schema}} } } }""";
        var error = (await host.Post(Chat, body)).Expect(400).Error;
        Assert.StartsWith("response_format", error.GetProperty("param").GetString());
    }

    [Theory]
    [InlineData("{}", "model")]
    [InlineData("""{"model":"tiny"}""", "prompt")]
    [InlineData("""{"model":"tiny","prompt":""}""", "prompt")]
    [InlineData("""{"model":"tiny","prompt":[]}""", "prompt")]
    [InlineData("""{"model":"tiny","prompt":7}""", "prompt")]
    [InlineData("""{"model":"tiny","prompt":["a",1]}""", "prompt[1]")]
    [InlineData("""{"model":"tiny","prompt":[1,-1]}""", "prompt[1]")]
    [InlineData("""{"model":"tiny","prompt":[1,70000]}""", "prompt")]
    [InlineData("""{"model":"tiny","prompt":[[1],[]]}""", "prompt[1]")]
    [InlineData("""{"model":"tiny","prompt":"a","suffix":"b"}""", "suffix")]
    [InlineData("""{"model":"tiny","prompt":"a","best_of":2}""", "best_of")]
    [InlineData("""{"model":"tiny","prompt":"a","echo":true,"logprobs":1}""", "echo")]
    [InlineData("""{"model":"tiny","prompt":"a","logprobs":true}""", "logprobs")]
    [InlineData("""{"model":"tiny","prompt":["a","a","a","a","a","a","a","a","a"],"n":8}""", "n")]
    public async Task Completions_BadBody_IsRefusedByField(string body, string param) =>
        Assert.Equal(param, (await host.Post(Completions, body)).Expect(400).Error.GetProperty("param").GetString());

    [Theory]
    [InlineData("""{"model":"tiny"}""", "input")]
    [InlineData("""{"model":"tiny","input":""}""", "input")]
    [InlineData("""{"model":"tiny","input":["a",""]}""", "input[1]")]
    [InlineData("""{"model":"tiny","input":"a","dimensions":63}""", "dimensions")]
    [InlineData("""{"model":"tiny","input":"a","encoding_format":"hex"}""", "encoding_format")]
    public async Task Embeddings_BadBody_IsRefusedByField(string body, string param) =>
        Assert.Equal(param, (await host.Post(Embeddings, body)).Expect(400).Error.GetProperty("param").GetString());

    [Fact]
    public async Task OpenAiPaths_WhatOthersRefuse_IsInItsFormToo()
    {
        Assert.Equal("invalid_request_error", (await host.Get(Chat)).Expect(404).Error.GetProperty("type").GetString());
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/models") { Headers = { Host = "elsewhere.example" } };
        using var answer = await host.Http.SendAsync(request);
        Assert.Contains("\"message\"", await answer.Content.ReadAsStringAsync());
        // Every other path keeps the inference protocol's form.
        Assert.Equal(System.Text.Json.JsonValueKind.String, (await host.Get("v1/nowhere")).Expect(404).Error.ValueKind);
    }

    [Fact]
    public async Task Chat_ReleaseBeyondFastWithoutSettlement_IsRefused() =>
        Assert.Contains("settlement", (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}}}""", ("OG-Release", "final"))).Expect(400).Error.GetProperty("message").GetString());
}
