using OpenGradient.Engine.LanguageModels.OnnxRuntime;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.OnnxRuntime;

public sealed class GenAiRuntimeTests
{
    private const int Rows = 6;

    [Theory]
    [InlineData("genai-int4", "int4", "decode=ragged")]
    [InlineData("genai-int8", "int8", "decode=ragged")]
    [InlineData("genai-float", "float", "decode=ragged")]
    public void Fingerprint_OfAModel_SaysPrecisionSplitAndSchedule(string model, string precision, string decode)
    {
        using var runtime = Open(model);
        var fingerprint = runtime.Info.Runtime;
        Assert.Equal("onnxruntime", fingerprint.Backend);
        Assert.Equal(precision, fingerprint.Precision);
        var options = fingerprint.Options.Split(';');
        Assert.Equal(options.Order(StringComparer.Ordinal), options);
        Assert.Contains(decode, options);
        Assert.Contains($"prefill={runtime.Info.PrefillChunk}", options);
        Assert.Contains("intra=2", options);
    }

    [Fact]
    public void Fingerprint_OfProductsInFloat_SaysThatSequencesRunAlone()
    {
        using var folder = new GenAiTestFolder("genai-int4");
        folder.ComputeInFloat();
        using var runtime = folder.Open();
        Assert.Contains("decode=alone", runtime.Info.Runtime.Options.Split(';'));
    }

    [Fact]
    public void Info_OfAFolder_IsTheConfigurations()
    {
        using var runtime = Open("genai-int4");
        Assert.Equal("llama", runtime.Info.Architecture);
        Assert.Equal((264, 64, 64), (runtime.Info.VocabularySize, runtime.Info.HiddenSize, runtime.Info.ContextLength));
        // Keys and values of 2 layers, 2 heads, 64 positions, 16 floats.
        Assert.Equal(2 * 2 * 2 * 64 * 16 * 4, runtime.Info.PageBytes);
        Assert.Equal((1 << 20) / runtime.Info.PageBytes, runtime.Info.Pages);
        Assert.Equal((PrefillRule.FixedChunks, 16, false), (runtime.Info.Prefill, runtime.Info.PrefillChunk, runtime.Info.PrefillEqualsDecode));
        Assert.Equal([257], runtime.EndTokens);
        Assert.Equal(256, runtime.BeginToken);
    }

    [Fact]
    public void Info_WithAShorterContext_KeepsTheSplit()
    {
        using var runtime = GenAiRuntime.Open(GenAiTestFolder.ModelPath("genai-int4"), GenAiTestFolder.Options with { ContextLength = 20 }, CancellationToken.None);
        Assert.Equal((20, 16), (runtime.Info.ContextLength, runtime.Info.PrefillChunk));
    }

    /// <summary>Whoever leaves makes a hole: others move into it, and their bits stay.</summary>
    [Theory, InlineData(null), InlineData(1), InlineData(2)]
    public void Step_AfterSequencesLeft_MovesTheRestTogether(int? shuffle)
    {
        using var runtime = Open("genai-int4");
        var pages = new RuntimePages(runtime, shuffle);
        var sequences = Enumerable.Range(0, Rows).Select(_ => pages.NewSequence(48)).ToArray();
        for (var i = 0; i < Rows; i++) sequences[i].Prefill(Tokens(i, 5 + i));
        Together(runtime, sequences, 1);
        var moved = runtime.MovedBytes;

        // Every second one stays, and is asked in another order.
        var left = sequences.Where((_, i) => i % 2 == 0).Reverse().ToArray();
        var rows = Together(runtime, left, 2);
        // Shuffled pages may happen to lie side by side.
        if (shuffle is null) Assert.True(runtime.MovedBytes > moved);
        for (var i = 0; i < left.Length; i++)
        {
            left[i].Length--;
            Assert.Equal(left[i].Decode(2), rows[i]);
        }

        // Those that paused were moved too, and still know what they held.
        var paused = sequences.Where((_, i) => i % 2 == 1).ToArray();
        var again = Together(runtime, paused, 3);
        for (var i = 0; i < paused.Length; i++)
        {
            var fresh = pages.NewSequence(48);
            fresh.Prefill(Tokens((2 * i) + 1, 6 + (2 * i)));
            fresh.Decode(1);
            Assert.Equal(fresh.Decode(3), again[i]);
            pages.Free(fresh);
        }
    }

    [Fact]
    public void Step_SameSequencesAgain_MovesNothing()
    {
        using var runtime = Open("genai-int4");
        var pages = new RuntimePages(runtime);
        var sequences = Enumerable.Range(0, Rows).Select(_ => pages.NewSequence(48)).ToArray();
        foreach (var sequence in sequences) sequence.Prefill([1, 2, 3]);
        Together(runtime, sequences, 1);
        var moved = runtime.MovedBytes;
        for (var i = 0; i < 5; i++) Together(runtime, [.. sequences.Reverse()], 1);
        Assert.Equal(moved, runtime.MovedBytes);
    }

    [Fact]
    public void Step_PromptsBesideDecodes_RunAloneWithinTheCall()
    {
        using var runtime = Open("genai-int4");
        var pages = new RuntimePages(runtime);
        var (one, other, alone) = (pages.NewSequence(48), pages.NewSequence(48), pages.NewSequence(48));
        one.Prefill(Tokens(1, 9));
        var expected = (one.Decode(4), alone.Append(Tokens(2, 7), StepLogits.Last));
        one.Length--;
        var vocabulary = runtime.Info.VocabularySize;
        var rows = new float[2 * vocabulary];
        runtime.Step([one.Step(new[] { 4 }, StepLogits.Last), other.Step(Tokens(2, 7), StepLogits.Last)], rows);
        Assert.Equal(expected.Item1, rows[..vocabulary]);
        Assert.Equal(expected.Item2, rows[vocabulary..]);
    }

    [Theory, InlineData(0, 17), InlineData(3, 2), InlineData(8, 9)]
    public void Step_PromptInOtherPieces_IsRefused(int start, int count)
    {
        using var runtime = Open("genai-int4");
        var step = new SequenceStep(Tokens(1, count), start, new[] { 0 }, StepLogits.None);
        var error = Assert.Throws<TokenRuntimeException>(() => runtime.Step([step], []));
        Assert.Contains("pieces of 16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_OnePageForTwoSequences_IsRefused()
    {
        using var runtime = Open("genai-int4");
        var step = new SequenceStep(new[] { 1 }, 3, new[] { 2 }, StepLogits.None);
        Assert.Throws<TokenRuntimeException>(() => runtime.Step([step, step], []));
    }

    [Fact]
    public void Threads_OneOrTwo_GiveTheSameBits()
    {
        float[][] rows = [.. new[] { 1, 2 }.Select(threads =>
        {
            using var runtime = GenAiRuntime.Open(GenAiTestFolder.ModelPath("genai-int4"), GenAiTestFolder.Options with { Threads = threads }, CancellationToken.None);
            var sequence = new RuntimePages(runtime).NewSequence(48);
            sequence.Prefill(Tokens(1, 30));
            return sequence.Decode(5);
        })];
        Assert.Equal(rows[0], rows[1]);
    }

    private static GenAiRuntime Open(string model) => GenAiRuntime.Open(GenAiTestFolder.ModelPath(model), GenAiTestFolder.Options, CancellationToken.None);

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(264))];
    }

    private static float[][] Together(GenAiRuntime runtime, RuntimeSequence[] sequences, int token)
    {
        var vocabulary = runtime.Info.VocabularySize;
        var rows = new float[sequences.Length * vocabulary];
        runtime.Step(sequences.Select(sequence => sequence.Step(new[] { token }, StepLogits.Last)).ToArray(), rows);
        foreach (var sequence in sequences) sequence.Length++;
        return [.. Enumerable.Range(0, sequences.Length).Select(i => rows[(i * vocabulary)..((i + 1) * vocabulary)])];
    }
}
