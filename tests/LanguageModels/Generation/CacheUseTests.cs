using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

/// <summary>What happens to memory: it is reused, it runs out, and it comes back.</summary>
public sealed class CacheUseTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 33)];

    [Fact]
    public async Task Start_SamePromptAgain_IsFoundInTheCache()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime);
        var first = await model.Answer(FakeModel.Request(Prompt, 5));
        var computed = model.Statistics.ComputedTokens;
        var second = await model.Answer(FakeModel.Request(Prompt, 5));
        Assert.Equal(first.Tokens, second.Tokens);
        Assert.Equal((0, 32), (first.Usage.CachedPromptTokens, second.Usage.CachedPromptTokens));
        Assert.Equal(5, model.Statistics.ComputedTokens - computed);
        Assert.Equal(32, model.Statistics.CachedPromptTokens);
    }

    /// <summary>A conversation's next turn begins with the answer before it.</summary>
    [Fact]
    public async Task Start_PromptThatGoesOnAfterAnAnswer_FindsTheAnswerToo()
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var first = await model.Answer(FakeModel.Request(Prompt, 40));
        var second = await model.Answer(FakeModel.Request([.. Prompt, .. first.Tokens, 1, 2], 1));
        Assert.Equal(72, second.Usage.CachedPromptTokens);
    }

    [Fact]
    public async Task Start_OtherCaller_FindsNothingWhereSharingIsOff()
    {
        await using var model = FakeModel.Serve(new FakeRuntime(), new LanguageModelOptions { SharePrefixesAcrossCallers = false });
        await model.Answer(FakeModel.Request(Prompt, 1) with { Caller = "a" });
        Assert.Equal(0, (await model.Answer(FakeModel.Request(Prompt, 1) with { Caller = "b" })).Usage.CachedPromptTokens);
        Assert.Equal(32, (await model.Answer(FakeModel.Request(Prompt, 1) with { Caller = "a" })).Usage.CachedPromptTokens);
    }

    [Fact]
    public async Task Start_ReuseOff_FindsNothing()
    {
        await using var model = FakeModel.Serve(new FakeRuntime(), new LanguageModelOptions { ReusePrefixes = false });
        await model.Answer(FakeModel.Request(Prompt, 1));
        Assert.Equal(0, (await model.Answer(FakeModel.Request(Prompt, 1))).Usage.CachedPromptTokens);
        Assert.Equal(0, model.Statistics.PagesCached);
    }

    /// <summary>Eight answers of 128 tokens over a cache that holds one: they take from each other and answer as if alone.</summary>
    [Fact]
    public async Task Start_CacheOfOneSequence_PreemptsAndAnswersAll()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { Pages = 16 });
        await using var model = FakeModel.Serve(runtime);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => FakeModel.Request([i, 1, 2], 125))];
        var generations = requests.Select(model.Started).ToArray();
        for (var i = 0; i < 8; i++) Assert.Equal(FakeModel.Expected(runtime, requests[i]).Tokens, (await generations[i].Completion.WaitAsync(FakeModel.Patience)).Tokens);
        Assert.True(model.Statistics.Preemptions > 0);
        Assert.Equal(0, model.Statistics.PagesHeld);
    }

    [Fact]
    public async Task Start_LongerThanTheCache_IsRefusedByName()
    {
        await using var model = FakeModel.Serve(new FakeRuntime(FakeRuntime.Small with { Pages = 4 }));
        Assert.Equal(GenerationError.CacheTooSmall, model.Refused(FakeModel.Request([1, 2], 32)).Error);
        Assert.Equal(31, (await model.Answer(FakeModel.Request([1, 2], 31))).Tokens.Count);
        Assert.Equal(31, (await model.Answer(FakeModel.Request([1, 2], 31) with { MaxTokens = null })).Tokens.Count);
    }

    [Fact]
    public async Task Start_QueueFull_IsRefusedWithAdvice()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 });
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { MaxQueued = 4 });
        using var gate = new StepGate(runtime);
        var running = model.Started(FakeModel.Request([1], 5));
        await gate.Reached(1);
        var waiting = Enumerable.Range(0, 2).Select(_ => model.Started(FakeModel.Request([1], 5) with { Caller = "a" })).ToList();
        var share = model.Refused(FakeModel.Request([1], 5) with { Caller = "a" });
        Assert.Equal(GenerationError.QueueFull, share.Error);
        Assert.Contains("2 requests of this caller", share.Message);
        waiting.Add(model.Started(FakeModel.Request([1], 5)));
        waiting.Add(model.Started(FakeModel.Request([1], 5)));
        var full = model.Refused(FakeModel.Request([1], 5));
        Assert.Equal(GenerationError.QueueFull, full.Error);
        Assert.True(full.RetryAfter > TimeSpan.Zero);
        Assert.Equal(2, model.Statistics.Refused);
        gate.Open();
        await Task.WhenAll(waiting.Append(running).Select(generation => generation.Completion)).WaitAsync(FakeModel.Patience);
        Assert.Equal(5, (await model.Answer(FakeModel.Request([1], 5))).Tokens.Count);
    }

    [Fact]
    public async Task Cancel_MidStream_FreesSlotAndPagesWithinAStep()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var generation = model.Started(FakeModel.Request(Prompt, 90));
        await gate.Reached(5);
        Assert.NotEqual(0, model.Statistics.PagesHeld);
        generation.Cancel();
        gate.Allow(1);
        var result = await generation.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal(FinishReason.Cancelled, result.Finish);
        Assert.Equal(5, gate.Entered);
        Assert.Equal(5, result.Tokens.Count);
        Assert.Equal((0, 0), (model.Statistics.PagesHeld, model.Statistics.Running));
    }

    [Fact]
    public async Task Cancel_WhileWaiting_FreesThePlaceAtOnce()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 });
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var running = model.Started(FakeModel.Request([1], 3));
        await gate.Reached(1);
        var waiting = model.Started(FakeModel.Request([2], 3));
        Assert.Equal(1, model.Statistics.Waiting);
        waiting.Cancel();
        gate.Allow(1);
        var result = await waiting.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Cancelled, 0, 0), (result.Finish, result.Tokens.Count, model.Statistics.Waiting));
        gate.Open();
        Assert.Equal(3, (await running.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
        running.Cancel();
    }
}
