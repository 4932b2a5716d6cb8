using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class EmbeddingTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task Embed_BesideAnswers_IsTheNormalizedState(bool isChunked)
    {
        var info = isChunked ? FakeRuntime.Chunked : FakeRuntime.Small;
        var runtime = new FakeRuntime(info);
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { PrefillTokensPerStep = 16 });
        var answers = Enumerable.Range(0, 5).Select(i => model.Started(FakeModel.Request([i], 40))).ToArray();
        int[] tokens = [.. Enumerable.Range(3, 40)];
        var embedding = await model.EmbedAsync(tokens, default).AsTask().WaitAsync(FakeModel.Patience);
        await Task.WhenAll(answers.Select(answer => answer.Completion)).WaitAsync(FakeModel.Patience);

        var alone = new FakeRuntime(info);
        var (hidden, pages) = (new float[info.HiddenSize], Enumerable.Range(0, Math.Min(info.Pages, 5)).ToArray());
        for (var at = 0; at < 32; at += 16) alone.Step([new SequenceStep(tokens.AsMemory(at, 16), at, pages, StepLogits.None)], []);
        alone.Embed(new SequenceStep(tokens.AsMemory(32), 32, pages, StepLogits.None), hidden);
        var length = Math.Sqrt(hidden.Sum(value => (double)value * value));
        Assert.Equal(hidden.Select(value => (float)(value / length)), embedding);
        Assert.Equal(1, embedding.Sum(value => (double)value * value), 5);
        Assert.Equal(1, model.Statistics.Embeddings);
        Assert.Equal(0, model.Statistics.PagesHeld);
    }

    [Fact]
    public async Task Embed_CacheHeldByAnswers_WaitsAndIsServed()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { Pages = 16 });
        await using var model = FakeModel.Serve(runtime);
        var answers = Enumerable.Range(0, 6).Select(i => model.Started(FakeModel.Request([i], 120))).ToArray();
        var embeddings = Enumerable.Range(0, 4).Select(i => model.EmbedAsync(Enumerable.Repeat(i, 120).ToArray(), default).AsTask()).ToArray();
        await Task.WhenAll(embeddings).WaitAsync(FakeModel.Patience);
        foreach (var answer in answers) Assert.Equal(120, (await answer.Completion.WaitAsync(FakeModel.Patience)).Tokens.Count);
    }

    [Theory, InlineData(0, GenerationError.InvalidPrompt), InlineData(129, GenerationError.ContextExceeded)]
    public async Task Embed_TokensThatDoNotFit_IsRefusedByName(int count, GenerationError error)
    {
        await using var model = FakeModel.Serve(new FakeRuntime());
        var refused = await Assert.ThrowsAsync<GenerationException>(() => model.EmbedAsync(new int[count], default).AsTask());
        Assert.Equal(error, refused.Failure.Error);
    }

    [Fact]
    public async Task Embed_Cancelled_GivesItsPagesBack()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime, new LanguageModelOptions { PrefillTokensPerStep = 8 });
        using var gate = new StepGate(runtime);
        using var cancellation = new CancellationTokenSource();
        var embedding = model.EmbedAsync(new int[100], cancellation.Token).AsTask();
        await gate.Reached(2);
        await cancellation.CancelAsync();
        gate.Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => embedding.WaitAsync(FakeModel.Patience));
        await FakeModel.Until(() => model.Statistics.PagesHeld == 0);
        Assert.True(gate.Entered < 6, $"{gate.Entered} calls");
    }
}
