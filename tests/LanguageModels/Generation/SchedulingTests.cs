using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

/// <summary>Who is in which step.</summary>
public sealed class SchedulingTests
{
    private const int V = 61;

    [Fact]
    public async Task Start_ManySequences_ShareSteps()
    {
        var runtime = new FakeRuntime { Log = [] };
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var first = model.Started(FakeModel.Request([1, 2], 20));
        await gate.Reached(1);
        var others = Enumerable.Range(0, 5).Select(i => model.Started(FakeModel.Request([i, 3], 20))).ToArray();
        gate.Open();
        foreach (var generation in others.Append(first)) Assert.Equal(20, (await generation.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
        Assert.Equal(6, runtime.Log.Max(steps => steps.Length));
        Assert.True(runtime.Steps < 30, $"{runtime.Steps} steps for 120 tokens");
    }

    /// <summary>A prompt of 100 tokens in pieces of 16: nobody who decodes misses a step.</summary>
    [Fact]
    public async Task Start_LongPrompt_StallsNobody()
    {
        var runtime = new FakeRuntime { Log = [] };
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { PrefillTokensPerStep = 16 });
        using var gate = new StepGate(runtime);
        var decoding = model.Started(FakeModel.Request([1], 60));
        await gate.Reached(3);
        var prompt = Enumerable.Range(0, 100).Select(i => i % V).ToArray();
        var reading = model.Started(FakeModel.Request(prompt, 2));
        gate.Open();
        await Task.WhenAll(decoding.Completion, reading.Completion).WaitAsync(FakeModel.Patience);
        var prefills = runtime.Log.Where(steps => steps.Any(step => step.Tokens.Length > 1)).ToArray();
        Assert.Equal(7, prefills.Length);
        Assert.All(prefills, steps => Assert.Equal(1, steps.Count(step => step.Tokens.Length == 1 && step.Logits == StepLogits.Last)));
        Assert.All(runtime.Log, steps => Assert.True(steps.Where(step => step.Tokens.Length > 1).Sum(step => step.Tokens.Length) <= 16));
    }

    /// <summary>Two long prompts share the bound; the short one beside them is done in one step.</summary>
    [Fact]
    public async Task Start_ShortPromptBesideLongOnes_IsNotLast()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxStepTokens = 400, ContextLength = 1024, Pages = 400 }) { Log = [] };
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { PrefillTokensPerStep = 192 });
        using var gate = new StepGate(runtime);
        var holder = model.Started(FakeModel.Request([5], 30));
        await gate.Reached(1);
        var longs = new[] { 10, 11 }.Select(first => model.Started(FakeModel.Request([first, .. Enumerable.Repeat(1, 899)], 1))).ToArray();
        var quick = model.Started(FakeModel.Request([12, .. Enumerable.Repeat(2, 49)], 1));
        gate.Open();
        await Task.WhenAll(longs.Append(quick).Append(holder).Select(generation => generation.Completion)).WaitAsync(FakeModel.Patience);
        int StepsOf(int first) => runtime.Log.FindIndex(steps => steps.Any(step => step.Start == 0 && step.Tokens.Span[0] == first));
        var done = runtime.Log.FindIndex(steps => steps.Any(step => step.Start + step.Tokens.Length == 50 && step.Logits == StepLogits.Last && step.Tokens.Length > 1));
        Assert.Equal(StepsOf(12), done);
        Assert.Equal(StepsOf(10), done);
    }

    [Fact]
    public async Task Start_FixedChunks_PromptsAreAloneAndDecodingGoesOnBetween()
    {
        var runtime = new FakeRuntime(FakeRuntime.Chunked) { Log = [] };
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var decoding = model.Started(FakeModel.Request([1, 2], 40));
        await gate.Reached(3);
        var reading = model.Started(FakeModel.Request([.. Enumerable.Range(0, 50)], 3));
        gate.Open();
        await Task.WhenAll(decoding.Completion, reading.Completion).WaitAsync(FakeModel.Patience);
        var pieces = runtime.Log.Select((steps, index) => (steps, index)).Where(entry => entry.steps[0].Tokens.Length > 1 && entry.index > 0).ToArray();
        Assert.Equal([16, 16, 16, 2], pieces.Select(entry => entry.steps[0].Tokens.Length));
        Assert.All(pieces, entry => Assert.Single(entry.steps));
        Assert.All(pieces.Zip(pieces.Skip(1)), pair => Assert.Equal(2, pair.Second.index - pair.First.index));
    }

    [Fact]
    public async Task Start_OneSlot_CallersTakeTurns()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 }) { Log = [] };
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var all = new List<IGeneration> { model.Started(FakeModel.Request([0], 1) with { Caller = "many" }) };
        await gate.Reached(1);
        for (var i = 1; i <= 4; i++) all.Add(model.Started(FakeModel.Request([i], 1) with { Caller = "many" }));
        for (var i = 11; i <= 12; i++) all.Add(model.Started(FakeModel.Request([i], 1) with { Caller = "few" }));
        await FakeModel.Until(() => model.Statistics.Waiting == 6);
        gate.Open();
        await Task.WhenAll(all.Select(generation => generation.Completion)).WaitAsync(FakeModel.Patience);
        Assert.Equal([0, 1, 11, 2, 12, 3, 4], runtime.Log.Select(steps => steps[0].Tokens.Span[0]));
    }

    /// <summary>Slots count, not only turns: whoever has one long answer under way waits behind who has none.</summary>
    [Fact]
    public async Task Start_CallerWithSequencesUnderWay_GoesAfterOneWithNone()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 2 }) { Log = [] };
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var all = new List<IGeneration> { model.Started(FakeModel.Request([1], 30) with { Caller = "a" }), model.Started(FakeModel.Request([2], 5) with { Caller = "a" }) };
        await gate.Reached(1);
        for (var i = 0; i < 3; i++) all.Add(model.Started(FakeModel.Request([20 + i], 1) with { Caller = "a" }));
        for (var i = 0; i < 2; i++) all.Add(model.Started(FakeModel.Request([30 + i], 1) with { Caller = "b" }));
        await FakeModel.Until(() => model.Statistics.Waiting >= 5);
        gate.Open();
        await Task.WhenAll(all.Select(generation => generation.Completion)).WaitAsync(FakeModel.Patience);
        int First(int token) => runtime.Log.FindIndex(steps => steps.Any(step => step.Start == 0 && step.Tokens.Span[0] == token));
        Assert.True(First(30) < First(20) && First(31) < First(20), $"b at {First(30)} and {First(31)}, a at {First(20)}");
    }

    [Fact]
    public async Task Start_Priorities_HigherGoFirstAndLowerAreNotForgotten()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 }) { Log = [] };
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var all = new List<IGeneration> { model.Started(FakeModel.Request([0], 1) with { Priority = RequestPriority.High }) };
        await gate.Reached(1);
        all.Add(model.Started(FakeModel.Request([1], 1) with { Priority = RequestPriority.Low }));
        for (var i = 0; i < 30; i++) all.Add(model.Started(FakeModel.Request([2], 1) with { Priority = RequestPriority.High }));
        await FakeModel.Until(() => model.Statistics.Waiting == 31);
        gate.Open();
        await Task.WhenAll(all.Select(generation => generation.Completion)).WaitAsync(FakeModel.Patience);
        Assert.Equal(16, runtime.Log.FindIndex(steps => steps[0].Tokens.Span[0] == 1));
    }

    /// <summary>No slot is free, and somebody more urgent comes: the least urgent pauses and goes on as if nothing had been.</summary>
    [Fact]
    public async Task Start_HighPriorityWithoutASlot_DisplacesALowOne()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 });
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var request = FakeModel.Request([1, 2, 3], 20) with { Priority = RequestPriority.Low };
        var low = model.Started(request);
        await gate.Reached(5);
        var high = model.Started(FakeModel.Request([4], 3) with { Priority = RequestPriority.High });
        gate.Allow(4);
        Assert.Equal(3, (await high.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
        Assert.False(low.Completion.IsCompleted);
        gate.Open();
        var result = await low.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal(1, result.Times.Preemptions);
        Assert.Equal(FakeModel.Expected(runtime, request).Tokens, result.Tokens);
    }

    [Fact]
    public async Task Streams_AThousandAtOnce_AllEndWithTheirOwnAnswers()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 32, Pages = 64 });
        await using var model = FakeModel.Serve(runtime);
        var streams = Enumerable.Range(0, 1000).Select(async i =>
        {
            var request = FakeModel.Request([i % V, i / V, 5], 8) with { IsStreamed = true, Caller = $"caller {i % 7}" };
            var generation = model.Started(request);
            var parts = await generation.Parts();
            Assert.Equal(FakeModel.Expected(runtime, request).Tokens, parts.SelectMany(part => part.Tokens));
            Assert.Equal(FinishReason.Length, (await generation.Completion).Finish);
        }).ToArray();
        await Task.WhenAll(streams).WaitAsync(FakeModel.Patience);
        Assert.Equal(0, model.Statistics.PagesHeld);
        Assert.Equal(8000, model.Statistics.CompletionTokens);
    }
}
