using System.Net;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Hosting.Tests.LanguageModels;

/// <summary>A host with a short queue and a cache that holds two long answers, with slots for eight.</summary>
public sealed class NarrowHost : LanguageModelHost
{
    public const int Queue = 4;

    // Equal prompts would share their pages, and so would equal answers.
    protected override string More => $",\"maxSequences\":8,\"maxQueued\":{Queue},\"cacheMiB\":1,\"reusePrefixes\":false";
}

/// <summary>A host whose queue holds a thousand.</summary>
public sealed class WideHost : LanguageModelHost
{
    protected override string More => ",\"maxQueued\":1100,\"maxSequences\":64,\"cacheMiB\":4";
}

public sealed class OpenAiLoadTests(WideHost host) : IClassFixture<WideHost>
{
    private const int Streams = 1000;

    [Fact]
    public async Task Streams_OneThousandAtOnce_AllEndWhole()
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Streams }) { BaseAddress = host.Address, Timeout = TimeSpan.FromMinutes(10) };
        var answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(async index =>
        {
            var body = $$"""{"model":"tiny","prompt":"a{{index}}","max_tokens":4,"seed":{{index}},"ignore_eos":true,"stream":true}""";
            using var answer = await http.PostAsync("v1/completions", new StringContent(body, Encoding.UTF8, "application/json"));
            return (answer.StatusCode, Text: await answer.Content.ReadAsStringAsync());
        }));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.All(answers, answer => Assert.EndsWith("data: [DONE]\n\n", answer.Text, StringComparison.Ordinal));
        Assert.All(answers, answer => Assert.Contains("og_receipt", answer.Text));
        Assert.False(host.HasExited);
    }

    [Fact]
    public async Task Stream_ReaderGone_FreesItsSlot()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/completions")
        {
            Content = new StringContent("""{"model":"tiny","prompt":"a","max_tokens":200,"ignore_eos":true,"stream":true}""", Encoding.UTF8, "application/json"),
        };
        var answer = await host.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var stream = await answer.Content.ReadAsStreamAsync();
        await stream.ReadExactlyAsync(new byte[64]);
        answer.Dispose();

        for (var i = 0; i < 2400 && await host.Metric("og_llm_running_sequences") > 0; i++) await Task.Delay(50);
        Assert.Equal(0, await host.Metric("og_llm_running_sequences"));
        Assert.Equal(0, await host.Metric("og_llm_cache_pages_held"));
    }
}

public sealed class OpenAiQueueTests(NarrowHost host) : IClassFixture<NarrowHost>
{
    [Fact]
    public async Task Requests_BeyondTheQueue_Get429WithAdviceAndOthersAreAnswered()
    {
        const string body = """{"model":"tiny","prompt":"a","max_tokens":900,"ignore_eos":true,"seed":1}""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => host.Post("v1/completions", body)));
        var refused = answers.Where(answer => answer.Code == 429).ToArray();
        Assert.NotEmpty(refused);
        Assert.All(refused, answer => Assert.Equal(("queue_full", "rate_limit_error"), (answer.Error.GetProperty("code").GetString(), answer.Error.GetProperty("type").GetString())));
        Assert.All(refused, answer => Assert.True(int.Parse(answer.Headers["Retry-After"]) >= 1));

        // Those that were taken shared a cache that does not hold them all, and say the same all the same.
        var texts = answers.Where(answer => answer.Code == 200).Select(answer => answer.Json.GetProperty("choices")[0].GetProperty("text").GetString()).ToArray();
        Assert.Equal(answers.Length, refused.Length + texts.Length);
        Assert.Single(texts.Distinct());
        Assert.True(await host.Metric("og_llm_preemptions_total") > 0, "the cache held them all");
        Assert.False(host.HasExited);
    }

    [Fact]
    public async Task Batch_WithMorePromptsThanTheQueueHolds_IsRefusedWhole()
    {
        var prompts = string.Join(',', Enumerable.Range(0, 40).Select(index => $"\"{index}\""));
        (await host.Post("v1/completions", $$"""{"model":"tiny","prompt":[{{prompts}}],"max_tokens":100,"ignore_eos":true}""")).Expect(429);
        for (var i = 0; i < 2400 && await host.Metric("og_llm_running_sequences") + await host.Metric("og_llm_waiting_requests") > 0; i++) await Task.Delay(50);
        Assert.Equal(0, await host.Metric("og_llm_running_sequences") + await host.Metric("og_llm_waiting_requests"));
    }
}

public sealed class OpenAiMetricsTests : LanguageModelHost
{
    [Fact]
    public async Task Metrics_OfAModelThatAnswered_AreThere()
    {
        (await Post("v1/completions", """{"model":"tiny","prompt":"a","max_tokens":5,"ignore_eos":true}""")).Expect(200);
        Assert.Equal(5, await Metric("og_llm_completion_tokens_total"));
        Assert.Equal(1, await Metric("og_llm_first_token_seconds_count"));
        Assert.Equal(1, await Metric("og_llm_answers_total"));
        Assert.True(await Metric("og_llm_cache_pages") > 0);
    }
}
