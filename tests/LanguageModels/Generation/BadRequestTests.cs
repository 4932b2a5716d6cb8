using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class BadRequestTests
{
    private static readonly GenerationRequest Good = FakeModel.Request([1, 2, 3], 4);

    public static TheoryData<string, GenerationError> Mistakes => new()
    {
        { "empty", GenerationError.InvalidPrompt }, { "token -1", GenerationError.InvalidPrompt }, { "token 61", GenerationError.InvalidPrompt },
        { "128 tokens", GenerationError.ContextExceeded }, { "max_tokens 126", GenerationError.ContextExceeded },
        { "max_tokens is 0", GenerationError.InvalidParameter }, { "max_tokens is -5", GenerationError.InvalidParameter },
        { "temperature is -1", GenerationError.InvalidParameter }, { "temperature is 1E+09", GenerationError.InvalidParameter }, { "temperature is NaN", GenerationError.InvalidParameter },
        { "top_k is -1", GenerationError.InvalidParameter }, { "top_p is 0", GenerationError.InvalidParameter }, { "top_p is 1.5", GenerationError.InvalidParameter },
        { "top_p is NaN", GenerationError.InvalidParameter }, { "min_p is -0.1", GenerationError.InvalidParameter },
        { "repetition_penalty is 0", GenerationError.InvalidParameter }, { "repetition_penalty is Infinity", GenerationError.InvalidParameter },
        { "presence_penalty is 3", GenerationError.InvalidParameter }, { "frequency_penalty is -3", GenerationError.InvalidParameter },
        { "logit_bias names token 61", GenerationError.InvalidParameter }, { "logit_bias of token 3 is NaN", GenerationError.InvalidParameter },
        { "top_logprobs is 21", GenerationError.InvalidParameter }, { "stop has 17", GenerationError.InvalidParameter }, { "stop text 1 is empty", GenerationError.InvalidParameter },
        { "stop text 0 has 257", GenerationError.InvalidParameter }, { "stop text 0 has half", GenerationError.InvalidParameter },
        { "timeout", GenerationError.InvalidParameter }, { "priority", GenerationError.InvalidParameter },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public async Task Start_Mistake_IsRefusedByName(string mistake, GenerationError error)
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var failure = model.Refused(Make(mistake));
        Assert.Equal(error, failure.Error);
        Assert.Contains(mistake, failure.Message);
        Assert.Null(failure.RetryAfter);
        Assert.Equal(4, (await model.Answer(Good)).Tokens.Count);
    }

    [Fact]
    public async Task Answer_LogitsNotFinite_FailsThatAnswerOnly()
    {
        var runtime = new FakeRuntime { Shape = (row, tokens) => { if (tokens[0] == 5 && tokens.Length == 6) row.Span[17] = float.NaN; } };
        await using var model = FakeModel.Serve(runtime);
        var (bad, good) = (model.Started(FakeModel.Request([5, 1], 20)), model.Started(FakeModel.Request([6, 1], 20)));
        var result = await bad.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Failed, GenerationError.Runtime), (result.Finish, result.Failure!.Error));
        Assert.Contains("not finite", result.Failure.Message);
        Assert.Equal(4, result.Tokens.Count);
        Assert.Equal(20, (await good.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
    }

    /// <summary>A sequence that breaks the runtime fails alone; the others of its step are computed again.</summary>
    [Fact]
    public async Task Answer_RuntimeThatThrows_FailsTheCulpritOnly()
    {
        var runtime = new FakeRuntime
        {
            Stepping = (_, steps) =>
            {
                if (steps.Any(step => step.Start >= 5 && step.Pages.Length > 0 && step.Tokens.Span[0] is var _ && Poison.Contains(step.Pages.Span[0]))) throw new TokenRuntimeException("a broken page");
                foreach (var step in steps)
                    if (step.Start == 0 && step.Tokens.Span[0] == 60) lock (Poison) Poison.Add(step.Pages.Span[0]);
                    else if (step.Start == 0) lock (Poison) Poison.Remove(step.Pages.Span[0]);
            },
        };
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { ReusePrefixes = false });
        var culprit = model.Started(FakeModel.Request([60, 1], 20));
        GenerationRequest[] requests = [.. Enumerable.Range(0, 4).Select(i => FakeModel.Request([i, 1], 20))];
        var others = requests.Select(model.Started).ToArray();
        var result = await culprit.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Failed, GenerationError.Runtime), (result.Finish, result.Failure!.Error));
        Assert.Contains("a broken page", result.Failure.Message);
        for (var i = 0; i < 4; i++)
        {
            var other = await others[i].Completion.WaitAsync(FakeModel.Patience);
            Assert.Null(other.Failure);
            Assert.Equal(FakeModel.Expected(runtime, requests[i]).Tokens, other.Tokens);
        }

        Assert.Equal(0, model.Statistics.PagesHeld);
    }

    private static readonly HashSet<int> Poison = [];

    [Fact]
    public async Task Answer_RuntimeThatAlwaysThrows_FailsAllAndServesOn()
    {
        var isBroken = true;
        var runtime = new FakeRuntime { Stepping = (_, _) => { if (Volatile.Read(ref isBroken)) throw new InvalidOperationException("/secret/path"); } };
        await using var model = FakeModel.Serve(runtime);
        foreach (var generation in Enumerable.Range(0, 10).Select(i => model.Started(FakeModel.Request([i], 3))).ToArray())
        {
            var result = await generation.Completion.WaitAsync(FakeModel.Patience);
            Assert.Equal(FinishReason.Failed, result.Finish);
            Assert.DoesNotContain("secret", result.Failure!.Message);
        }

        Volatile.Write(ref isBroken, false);
        Assert.Equal(3, (await model.Answer(FakeModel.Request([1], 3))).Tokens.Count);
        Assert.Equal(0, model.Statistics.PagesHeld);
    }

    [Theory, InlineData("MaxQueued"), InlineData("MaxCallerShare"), InlineData("PrefillTokensPerStep"), InlineData("EveryTokens"), InlineData("Every ")]
    public void Options_OutOfRange_AreRefusedByName(string name)
    {
        var options = new LanguageModelOptions();
        options = name switch
        {
            "MaxQueued" => options with { MaxQueued = 0 },
            "MaxCallerShare" => options with { MaxCallerShare = double.NaN },
            "PrefillTokensPerStep" => options with { PrefillTokensPerStep = 0 },
            "EveryTokens" => options with { Commitments = new CommitmentOptions { EveryTokens = 0 } },
            _ => options with { Commitments = new CommitmentOptions { Every = TimeSpan.Zero } },
        };
        using var runtime = new FakeRuntime();
        Assert.Contains(name, Assert.Throws<ArgumentException>(() => FakeModel.Serve(runtime, options)).Message);
        Assert.False(runtime.IsDisposed);
    }

    private static GenerationRequest Make(string mistake)
    {
        GenerationRequest With(SamplingParameters sampling) => Good with { Sampling = sampling };
        SamplingParameters sampling = new();
        return mistake switch
        {
            "empty" => Good with { Prompt = Array.Empty<int>() },
            "token -1" => Good with { Prompt = new[] { -1 } },
            "token 61" => Good with { Prompt = new[] { 61 } },
            "128 tokens" => Good with { Prompt = new int[128] },
            "max_tokens 126" => Good with { MaxTokens = 126 },
            "max_tokens is 0" => Good with { MaxTokens = 0 },
            "max_tokens is -5" => Good with { MaxTokens = -5 },
            "temperature is -1" => With(sampling with { Temperature = -1 }),
            "temperature is 1E+09" => With(sampling with { Temperature = 1e9f }),
            "temperature is NaN" => With(sampling with { Temperature = float.NaN }),
            "top_k is -1" => With(sampling with { TopK = -1 }),
            "top_p is 0" => With(sampling with { TopP = 0 }),
            "top_p is 1.5" => With(sampling with { TopP = 1.5f }),
            "top_p is NaN" => With(sampling with { TopP = float.NaN }),
            "min_p is -0.1" => With(sampling with { MinP = -0.1f }),
            "repetition_penalty is 0" => With(sampling with { RepetitionPenalty = 0 }),
            "repetition_penalty is Infinity" => With(sampling with { RepetitionPenalty = float.PositiveInfinity }),
            "presence_penalty is 3" => With(sampling with { PresencePenalty = 3 }),
            "frequency_penalty is -3" => With(sampling with { FrequencyPenalty = -3 }),
            "logit_bias names token 61" => With(sampling with { LogitBias = new Dictionary<int, float> { [61] = 1 } }),
            "logit_bias of token 3 is NaN" => With(sampling with { LogitBias = new Dictionary<int, float> { [3] = float.NaN } }),
            "top_logprobs is 21" => With(sampling with { TopLogprobs = 21 }),
            "stop has 17" => Good with { Stop = [.. Enumerable.Repeat("x", 17)] },
            "stop text 1 is empty" => Good with { Stop = ["x", ""] },
            "stop text 0 has 257" => Good with { Stop = [new string('x', 257)] },
            "stop text 0 has half" => Good with { Stop = ["a\ud800"] },
            "timeout" => Good with { Timeout = TimeSpan.Zero },
            "priority" => Good with { Priority = (RequestPriority)9 },
            _ => throw new ArgumentOutOfRangeException(nameof(mistake)),
        };
    }
}
