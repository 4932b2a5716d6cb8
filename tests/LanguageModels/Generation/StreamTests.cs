using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class StreamTests
{
    [Fact]
    public async Task ReadParts_Reader_GetsEveryTokenOnce()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime);
        var request = FakeModel.Request([1, 2], 50);
        var generation = model.Started(request);
        var parts = await generation.Parts();
        Assert.Equal(FakeModel.Expected(runtime, request).Tokens, parts.SelectMany(part => part.Tokens));
        Assert.Equal(50, (await generation.Completion).Usage.CompletionTokens);
    }

    /// <summary>Nobody reads: the answer is written all the same, and kept as one part.</summary>
    [Fact]
    public async Task ReadParts_AfterTheEnd_GivesOnePart()
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var generation = model.Started(FakeModel.Request([1, 2], 50));
        await generation.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal(50, Assert.Single(await generation.Parts()).Tokens.Count);
    }

    [Fact]
    public async Task ReadParts_LeftEarly_Cancels()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var generation = model.Started(FakeModel.Request([1, 2], 50));
        await gate.Reached(2);
        await foreach (var part in generation.ReadPartsAsync(default))
            if (part.Tokens.Count > 0) break;
        gate.Open();
        Assert.Equal(FinishReason.Cancelled, (await generation.Completion.WaitAsync(FakeModel.Patience)).Finish);
        await FakeModel.Until(() => model.Statistics.PagesHeld == 0);
    }

    [Fact]
    public async Task ReadParts_TokenCancelled_CancelsTheAnswer()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime);
        using var gate = new StepGate(runtime);
        var generation = model.Started(FakeModel.Request([1, 2], 50));
        using var cancellation = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            await foreach (var _ in generation.ReadPartsAsync(cancellation.Token)) { }
        });
        await gate.Reached(1);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(FakeModel.Patience));
        gate.Allow(1);
        Assert.Equal(FinishReason.Cancelled, (await generation.Completion.WaitAsync(FakeModel.Patience)).Finish);
    }

    [Fact]
    public async Task ReadParts_SecondReader_IsRefused()
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var generation = model.Started(FakeModel.Request([1, 2], 5));
        await generation.Parts();
        await Assert.ThrowsAsync<InvalidOperationException>(generation.Parts);
    }

    [Fact]
    public async Task Answer_EndToken_EndsItUnlessIgnored()
    {
        var runtime = new FakeRuntime { Shape = (row, tokens) => row.Span[tokens.Length == 6 ? FakeModel.End : 3] = 100 };
        await using var model = FakeModel.Serve(runtime);
        var ended = await model.Answer(FakeModel.Request([1, 2], 20) with { IgnoreEndOfSequence = false });
        Assert.Equal((FinishReason.EndOfSequence, 5), (ended.Finish, ended.Tokens.Count));
        Assert.Equal([3, 3, 3, 3, FakeModel.End], ended.Tokens);
        var ignored = await model.Answer(FakeModel.Request([1, 2], 20));
        Assert.Equal((FinishReason.Length, 20), (ignored.Finish, ignored.Tokens.Count));
    }

    [Fact]
    public async Task Answer_NoSeed_DrawsOneAndSaysWhich()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime);
        var request = FakeModel.Request([1, 2], 30, new() { Temperature = 1 });
        var (first, second) = (await model.Answer(request), await model.Answer(request));
        Assert.NotEqual(first.Seed, second.Seed);
        Assert.NotEqual(first.Tokens, second.Tokens);
        var again = await model.Answer(request with { Sampling = request.Sampling with { Seed = first.Seed } });
        Assert.Equal(first.Tokens, again.Tokens);
    }

    [Fact]
    public async Task Answer_TimeoutWhileWriting_EndsWhereItIs()
    {
        var (runtime, clock) = (new FakeRuntime(), new ManualClock());
        await using var model = FakeModel.Serve(runtime, services: new LanguageModelServices { Time = clock });
        using var gate = new StepGate(runtime);
        var generation = model.Started(FakeModel.Request([1], 50) with { Timeout = TimeSpan.FromSeconds(10) });
        await gate.Reached(4);
        clock.Advance(TimeSpan.FromSeconds(11));
        gate.Allow(1);
        var result = await generation.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Cancelled, GenerationError.DeadlineExceeded), (result.Finish, result.Failure!.Error));
        Assert.Equal(4, result.Tokens.Count);
        Assert.Equal(TimeSpan.FromSeconds(11), result.Times.Total);
    }

    [Fact]
    public async Task Answer_TimeoutWhileSlowedDown_EndsByTheTimer()
    {
        var clock = new ManualClock();
        var gate = new Gate { Advice = AdmissionAdvice.SlowDown(TimeSpan.FromSeconds(5)) };
        await using var model = FakeModel.Serve(new FakeRuntime(), services: new LanguageModelServices { Time = clock, Gate = gate });
        var slowed = model.Started(FakeModel.Request([1], 2));
        var impatient = model.Refused(FakeModel.Request([1], 2) with { Timeout = TimeSpan.FromSeconds(5) });
        Assert.Equal(GenerationError.TrustGapExceeded, impatient.Error);
        for (var i = 0; i < 49; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        Assert.False(slowed.Completion.IsCompleted);
        // A timer that was set after the clock had moved on is due later than it seems.
        await FakeModel.Until(() =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return slowed.Completion.IsCompleted;
        });
        Assert.Equal(2, (await slowed.Completion).Tokens.Count);
        Assert.True((await slowed.Completion).Times.Queued >= TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Start_GateThatRefuses_IsTold()
    {
        var gate = new Gate { Advice = AdmissionAdvice.Refuse(TimeSpan.FromSeconds(3)) };
        await using var model = FakeModel.Serve(new FakeRuntime(), services: new LanguageModelServices { Gate = gate });
        var failure = model.Refused(FakeModel.Request([1], 2));
        Assert.Equal((GenerationError.TrustGapExceeded, TimeSpan.FromSeconds(3)), (failure.Error, failure.RetryAfter));
    }

    [Fact]
    public async Task Dispose_UnderWay_EndsEverythingAndRefusesTheRest()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 });
        using var gate = new StepGate(runtime);
        var model = FakeModel.Serve(runtime);
        var (running, waiting) = (model.Started(FakeModel.Request([1], 50)), model.Started(FakeModel.Request([1], 50)));
        await gate.Reached(3);
        var disposal = model.DisposeAsync().AsTask();
        gate.Allow(1);
        await disposal.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Cancelled, GenerationError.Stopping), ((await running.Completion).Finish, (await running.Completion).Failure!.Error));
        Assert.Equal(3, (await running.Completion).Tokens.Count);
        Assert.Equal((FinishReason.Cancelled, GenerationError.Stopping), ((await waiting.Completion).Finish, (await waiting.Completion).Failure!.Error));
        Assert.True(runtime.IsDisposed);
        Assert.Equal(GenerationError.Stopping, model.Refused(FakeModel.Request([1], 1)).Error);
        await Assert.ThrowsAsync<GenerationException>(() => model.EmbedAsync(new[] { 1 }, default).AsTask());
        await model.DisposeAsync();
    }

    private sealed class Gate : IAdmissionGate
    {
        public AdmissionAdvice Advice { get; init; }

        public TimeSpan? RetryAfter() => Advice.Verdict == AdmissionVerdict.Refuse ? Advice.Wait : null;

        public AdmissionAdvice Advise() => Advice;
    }
}
