using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Tests.LanguageModels;

/// <summary>Answers of a model with random weights: their shapes, and that whole and streamed ones are the same.</summary>
public sealed class OpenAiAnswerTests(LanguageModelHost host) : IClassFixture<LanguageModelHost>
{
    private const string Chat = "v1/chat/completions", Completions = "v1/completions";
    private const string Hi = """ "messages":[{"role":"system","content":"be short"},{"role":"user","content":[{"type":"text","text":"hi"}]}] """;
    private const string Tools = """ "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string","maxLength":4}},"required":["city"],"additionalProperties":false}}}] """;

    [Fact]
    public async Task Models_Served_AreListed()
    {
        var model = Assert.Single((await host.Get("v1/models")).Expect(200).Json.GetProperty("data").EnumerateArray().ToArray());
        Assert.Equal(("tiny", "model", LanguageModelHost.Context), (model.GetProperty("id").GetString(), model.GetProperty("object").GetString(), model.GetProperty("og_context_length").GetInt32()));
        Assert.Equal(model.ToString(), (await host.Get("v1/models/tiny")).Expect(200).Json.ToString());
    }

    [Fact]
    public async Task Chat_Whole_HasChoiceUsageAndAReceiptOfIt()
    {
        var answer = (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}},"max_tokens":12,"seed":7,"ignore_eos":true,"og_replay":true}""")).Expect(200);
        var json = answer.Json;
        Assert.Equal(("chat.completion", "tiny"), (json.GetProperty("object").GetString(), json.GetProperty("model").GetString()));
        Assert.StartsWith("chatcmpl-", json.GetProperty("id").GetString());
        Assert.StartsWith("fp_", json.GetProperty("system_fingerprint").GetString());
        var choice = Assert.Single(json.GetProperty("choices").EnumerateArray().ToArray());
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
        var usage = json.GetProperty("usage");
        Assert.Equal(12, usage.GetProperty("completion_tokens").GetInt32());
        Assert.Equal(usage.GetProperty("prompt_tokens").GetInt32() + 12, usage.GetProperty("total_tokens").GetInt32());

        var receipt = json.GetProperty("og_receipt");
        Assert.Equal(answer.Headers["OG-Receipt-Id"], receipt.GetProperty("id").GetString());
        Assert.Equal(("executed", 12), (receipt.GetProperty("stage").GetString(), receipt.GetProperty("tokens").GetInt32()));
        var decoded = Receipt.Decode(receipt.GetProperty("receipt").GetBytesFromBase64());
        Assert.Equal(receipt.GetProperty("id").GetString(), decoded.Id.ToString());
        Assert.Equal("tiny", Statement.Decode(decoded.Statement.Span).Context.ModelName);
        Assert.Equal(12, json.GetProperty("og_replay").GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public async Task Chat_Streamed_GivesTheTextOfTheWholeOne()
    {
        var fields = $$""" "model":"tiny",{{Hi}},"max_tokens":40,"seed":3,"ignore_eos":true """;
        var whole = (await host.Post(Chat, $$"""{{{fields}}}""")).Expect(200).Json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
        var chunks = await host.Stream(Chat, $$"""{{{fields}},"stream":true,"stream_options":{"include_usage":true} }""");

        Assert.Equal("[DONE]", chunks[^1]);
        var parsed = chunks.SkipLast(1).Select(chunk => JsonDocument.Parse(chunk).RootElement).ToArray();
        Assert.Single(parsed.Select(chunk => chunk.GetProperty("id").GetString()).Distinct());
        Assert.Equal("assistant", parsed[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        var text = string.Concat(parsed.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray())
            .Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
        Assert.Equal(whole, text);
        var last = parsed[^2];
        Assert.Equal("length", last.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(40, last.GetProperty("og_receipt").GetProperty("tokens").GetInt32());
        Assert.Equal(40, parsed[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(0, parsed[^1].GetProperty("choices").GetArrayLength());
    }

    [Fact]
    public async Task Chat_LongStream_IsAChainOfHeads()
    {
        var chunks = await host.Stream(Chat, $$"""{"model":"tiny",{{Hi}},"max_tokens":150,"seed":3,"ignore_eos":true,"stream":true,"og_replay":true}""");
        var parsed = chunks.SkipLast(1).Select(chunk => JsonDocument.Parse(chunk).RootElement).ToArray();
        // A reader that is slower than the model gets the newest head of those that are signed; how many it sees is its own matter.
        var heads = parsed.Where(chunk => chunk.TryGetProperty("og_head", out _)).Select(chunk => chunk.GetProperty("og_head")).ToArray();
        foreach (var head in heads) Assert.Equal(head.GetProperty("id").GetString(), Receipt.Decode(head.GetProperty("receipt").GetBytesFromBase64()).Id.ToString());
        Assert.Equal(heads.Select(head => head.GetProperty("tokens").GetInt32()).Order(), heads.Select(head => head.GetProperty("tokens").GetInt32()));
        // The last head names the one before: there was at least one on the way.
        var replay = parsed[^1].GetProperty("og_replay");
        Assert.NotEqual(new string('0', 64), replay.GetProperty("previous").GetString());
        Assert.Equal(150, replay.GetProperty("tokens").GetArrayLength());
    }

    [Theory]
    [InlineData("\"required\"")]
    [InlineData("""{"type":"function","function":{"name":"weather"}}""")]
    public async Task Chat_ForcedTool_IsCalledWithArgumentsOfItsSchema(string choice)
    {
        var fields = $$""" "model":"tiny",{{Hi}},{{Tools}},"tool_choice":{{choice}},"seed":11 """;
        var message = (await host.Post(Chat, $$"""{{{fields}}}""")).Expect(200).Json.GetProperty("choices")[0];
        Assert.Equal("tool_calls", message.GetProperty("finish_reason").GetString());
        Assert.Equal(JsonValueKind.Null, message.GetProperty("message").GetProperty("content").ValueKind);
        var call = Assert.Single(message.GetProperty("message").GetProperty("tool_calls").EnumerateArray().ToArray());
        Assert.Equal("weather", call.GetProperty("function").GetProperty("name").GetString());
        using var arguments = JsonDocument.Parse(call.GetProperty("function").GetProperty("arguments").GetString()!);
        Assert.Equal("city", Assert.Single(arguments.RootElement.EnumerateObject().ToArray()).Name);

        var chunks = await host.Stream(Chat, $$"""{{{fields}},"stream":true}""");
        var deltas = chunks.SkipLast(1).Select(chunk => JsonDocument.Parse(chunk).RootElement.GetProperty("choices")[0]).ToArray();
        var calls = deltas.Where(delta => delta.GetProperty("delta").TryGetProperty("tool_calls", out _)).SelectMany(delta => delta.GetProperty("delta").GetProperty("tool_calls").EnumerateArray()).ToArray();
        Assert.Equal(call.GetProperty("function").GetProperty("arguments").GetString(), string.Concat(calls.Select(each => each.GetProperty("function").GetProperty("arguments").GetString())));
        Assert.Equal("tool_calls", deltas[^1].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Chat_JsonSchema_IsFollowed()
    {
        var body = $$"""{"model":"tiny",{{Hi}},"seed":5,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object","properties":{"yes":{"type":"boolean"},"size":{"enum":["s","m"]} },"required":["yes","size"],"additionalProperties":false} } } }""";
        var text = (await host.Post(Chat, body)).Expect(200).Json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        using var document = JsonDocument.Parse(text);
        Assert.Contains(document.RootElement.GetProperty("size").GetString(), (string[])["s", "m"]);
    }

    [Fact]
    public async Task Chat_SeveralChoices_HaveAReceiptEachAndDiffer()
    {
        var answer = (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}},"max_tokens":8,"n":3,"seed":1,"ignore_eos":true}""")).Expect(200);
        var choices = answer.Json.GetProperty("choices").EnumerateArray().ToArray();
        Assert.Equal([0, 1, 2], choices.Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(3, choices.Select(choice => choice.GetProperty("og_receipt").GetProperty("id").GetString()).Distinct().Count());
        Assert.Equal(3, choices.Select(choice => choice.GetProperty("message").GetProperty("content").GetString()).Distinct().Count());
        Assert.Equal(3, answer.Headers["OG-Receipt-Id"].Split(", ").Length);
        Assert.Equal(24, answer.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Chat_SameSeed_GivesTheSameAnswer()
    {
        var body = $$"""{"model":"tiny",{{Hi}},"max_tokens":20,"seed":-5,"temperature":1.5,"top_p":0.9,"ignore_eos":true}""";
        string Text(HttpAnswer answer) => answer.Expect(200).Json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        Assert.Equal(Text(await host.Post(Chat, body)), Text(await host.Post(Chat, body)));
    }

    [Fact]
    public async Task Chat_Logprobs_HaveTokensBytesAndAlternatives()
    {
        var choice = (await host.Post(Chat, $$"""{"model":"tiny",{{Hi}},"max_tokens":4,"temperature":0,"logprobs":true,"top_logprobs":3,"logit_bias":{"256":-100,"257":-100,"258":-100} }""")).Expect(200).Json.GetProperty("choices")[0];
        var positions = choice.GetProperty("logprobs").GetProperty("content").EnumerateArray().ToArray();
        Assert.Equal(4, positions.Length);
        foreach (var position in positions)
        {
            Assert.Equal(1, position.GetProperty("bytes").GetArrayLength());
            Assert.True(position.GetProperty("logprob").GetDouble() <= 0);
            Assert.Equal(3, position.GetProperty("top_logprobs").GetArrayLength());
            // The most probable token was taken.
            Assert.Equal(position.GetProperty("bytes").ToString(), position.GetProperty("top_logprobs")[0].GetProperty("bytes").ToString());
        }
    }

    [Fact]
    public async Task Completions_PromptsOfEveryKind_AreContinued()
    {
        // The tokenizer's tokens are bytes: these are one prompt.
        foreach (var prompt in (string[])["\"ab\"", "[\"ab\"]", "[97,98]", "[[97,98]]"])
        {
            var choice = Assert.Single((await host.Post(Completions, $$"""{"model":"tiny","prompt":{{prompt}},"temperature":0,"max_tokens":5,"echo":true}""")).Expect(200).Json.GetProperty("choices").EnumerateArray().ToArray());
            Assert.StartsWith("ab", choice.GetProperty("text").GetString());
        }

        var several = (await host.Post(Completions, """{"model":"tiny","prompt":["a","b"],"n":2,"max_tokens":2,"echo":true}""")).Expect(200).Json.GetProperty("choices").EnumerateArray().ToArray();
        Assert.Equal(["a", "a", "b", "b"], several.Select(choice => choice.GetProperty("text").GetString()![..1]));
    }

    [Fact]
    public async Task Completions_Logprobs_AreParallelArrays()
    {
        var logprobs = (await host.Post(Completions, """{"model":"tiny","prompt":"a","temperature":0,"max_tokens":3,"logprobs":2,"logit_bias":{"256":-100,"257":-100,"258":-100} }""")).Expect(200).Json.GetProperty("choices")[0].GetProperty("logprobs");
        foreach (var name in (string[])["tokens", "token_logprobs", "top_logprobs", "text_offset"]) Assert.Equal(3, logprobs.GetProperty(name).GetArrayLength());
        Assert.Equal(0, logprobs.GetProperty("text_offset")[0].GetInt32());
    }

    [Fact]
    public async Task Completions_StopText_EndsTheAnswerAndIsNotInIt()
    {
        var text = (await host.Post(Completions, """{"model":"tiny","prompt":"a","temperature":0,"max_tokens":30,"ignore_eos":true}""")).Expect(200).Json.GetProperty("choices")[0].GetProperty("text").GetString()!;
        var stop = text.Substring(10, 2);
        var choice = (await host.Post(Completions, $$"""{"model":"tiny","prompt":"a","temperature":0,"max_tokens":30,"ignore_eos":true,"stop":[{{JsonSerializer.Serialize(stop)}}]}""")).Expect(200).Json.GetProperty("choices")[0];
        Assert.Equal(("stop", text[..text.IndexOf(stop, StringComparison.Ordinal)]), (choice.GetProperty("finish_reason").GetString(), choice.GetProperty("text").GetString()));
    }

    [Fact]
    public async Task Embeddings_FloatAndBase64_AreTheSameVector()
    {
        var numbers = (await host.Post("v1/embeddings", """{"model":"tiny","input":["hello","there"]}""")).Expect(200).Json;
        var packed = (await host.Post("v1/embeddings", $$"""{"model":"tiny","input":"hello","encoding_format":"base64","dimensions":{{LanguageModelHost.Hidden}}}""")).Expect(200).Json;
        float[] vector = [.. numbers.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle())];
        Assert.Equal(LanguageModelHost.Hidden, vector.Length);
        Assert.Equal(1, vector.Sum(number => (double)number * number), 4);
        var bytes = packed.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        Assert.Equal(vector, Enumerable.Range(0, vector.Length).Select(i => BitConverter.ToSingle(bytes, 4 * i)));
        Assert.Equal(10, numbers.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }
}
