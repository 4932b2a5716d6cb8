using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Runtimes;

/// <summary>The double has to notice what schedules may get wrong.</summary>
public sealed class FakeRuntimeTests
{
    private readonly FakeRuntime _runtime = new();
    private readonly float[] _row = new float[FakeRuntime.Small.VocabularySize];

    [Fact]
    public void Step_AnyDivision_GivesTheExpectedRow()
    {
        int[] tokens = [.. Enumerable.Range(0, 20)];
        Step(tokens[..13], 0, [4, 2, 9]);
        Step(tokens[13..], 13, [4, 2, 9]);
        Assert.Equal(_runtime.Expected(tokens), _row);
    }

    [Fact]
    public void Step_PageOfSomebodyElse_GivesAnotherRow()
    {
        int[] tokens = [.. Enumerable.Range(0, 16)];
        Step(tokens, 0, [0, 1]);
        Step([.. Enumerable.Range(20, 16)], 0, [2, 3]);
        Step([5], 16, [0, 3, 4]);
        Assert.NotEqual(_runtime.Expected([.. tokens, 5]), _row);
    }

    [Fact]
    public void Step_PagesOutOfOrder_Throws()
    {
        Step([.. Enumerable.Range(0, 16)], 0, [0, 1]);
        Assert.Throws<InvalidOperationException>(() => Step([5], 16, [1, 0, 2]));
    }

    [Fact]
    public void Step_OnePageWrittenTwice_Throws() => Assert.Throws<InvalidOperationException>(
        () => _runtime.Step([new SequenceStep(new[] { 1 }, 0, new[] { 3 }, StepLogits.None), new SequenceStep(new[] { 2 }, 0, new[] { 3 }, StepLogits.None)], []));

    [Fact]
    public void Step_OtherPieces_ChangeBitsUnderFixedChunks()
    {
        var chunked = new FakeRuntime(FakeRuntime.Chunked);
        int[] tokens = [.. Enumerable.Range(0, 16)];
        float[] whole = new float[_row.Length], single = new float[_row.Length];
        chunked.Step([new SequenceStep(tokens, 0, new[] { 0 }, StepLogits.Last)], whole);
        for (var i = 0; i < 16; i++) chunked.Step([new SequenceStep(tokens.AsMemory(i, 1), i, new[] { 1 }, StepLogits.Last)], single);
        Assert.NotEqual(whole, single);
        Assert.Throws<TokenRuntimeException>(() => chunked.Step([new SequenceStep(tokens, 8, new[] { 0 }, StepLogits.Last)], whole));
    }

    private void Step(int[] tokens, int start, int[] pages) => _runtime.Step([new SequenceStep(tokens, start, pages, StepLogits.Last)], _row);
}
