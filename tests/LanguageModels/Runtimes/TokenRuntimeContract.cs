using System.Runtime.InteropServices;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.Runtimes;

/// <summary>
/// What every runtime promises (<see cref="ITokenRuntime"/>), bit for bit. A runtime's own tests derive this class, once per
/// configuration. What opens must have room for 4 sequences of 48 tokens in one step, and 6 of them in its pages.
/// </summary>
public abstract class TokenRuntimeContract
{
    private const int Sequences = 4, Tokens = 48;

    protected abstract ITokenRuntime Open();

    [Fact]
    public void Info_OfAnyRuntime_IsWhole()
    {
        using var runtime = Open();
        var info = runtime.Info;
        Assert.NotEmpty(info.Architecture);
        Assert.NotEqual(default, info.Identity);
        Assert.NotEmpty(info.Runtime.Backend);
        Assert.NotEmpty(info.Runtime.Device);
        Assert.True(info.VocabularySize > 1 && info.HiddenSize > 0 && info.PageBytes > 0);
        Assert.True(info.ContextLength >= Tokens, $"context of {info.ContextLength}");
        Assert.True(info.MaxSequences >= Sequences && info.MaxStepTokens >= info.MaxSequences);
        Assert.True(info.Pages >= 6 * PagesFor(info, Tokens), $"{info.Pages} pages");
        Assert.Equal(info.Prefill == PrefillRule.FixedChunks, info.PrefillChunk > 0);
        Assert.True(info.PrefillChunk <= info.MaxStepTokens);
    }

    [Fact]
    public void Step_SameTokensAgain_GivesTheSameFiniteBits()
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var prompt = Prompt(runtime, 1, 11);
        var first = Generate(runtime, pages.NewSequence(Tokens), prompt, 3);
        Assert.All(first.SelectMany(row => row), value => Assert.True(float.IsFinite(value)));
        Assert.NotEqual(first[0], first[1]);
        Same(first, Generate(runtime, pages.NewSequence(Tokens), prompt, 3));
    }

    /// <summary>A runtime that loses its cache would answer from the last token alone.</summary>
    [Fact]
    public void Step_OtherTokensBefore_GivesOtherBits()
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var prompt = Prompt(runtime, 1, 11);
        var other = (int[])prompt.Clone();
        other[0] = (other[0] + 1) % runtime.Info.VocabularySize;
        Assert.NotEqual(Generate(runtime, pages.NewSequence(Tokens), prompt, 1)[0], Generate(runtime, pages.NewSequence(Tokens), other, 1)[0]);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Step_BesideNeighbours_GivesTheBitsOfAlone(int seed)
    {
        using var runtime = Open();
        var random = new Random(seed);
        var pages = new RuntimePages(runtime);
        var prompts = Enumerable.Range(0, Sequences).Select(i => Prompt(runtime, (seed * 10) + i, random.Next(1, 30))).ToArray();
        var alone = prompts.Select(prompt => GenerateAlone(runtime, pages, prompt, 6)).ToArray();

        var together = prompts.Select(_ => pages.NewSequence(Tokens)).ToArray();
        var next = new int[Sequences];
        for (var i = 0; i < Sequences; i++) next[i] = Follow(together[i].Prefill(prompts[i]));
        for (var step = 1; step < 6; step++)
        {
            // Another set of neighbours in another order each time; whoever is left out catches up alone.
            var order = Enumerable.Range(0, Sequences).OrderBy(_ => random.Next()).ToArray();
            var batched = order[..random.Next(1, Sequences + 1)];
            var rows = Batch(runtime, [.. batched.Select(i => (together[i], next[i]))]);
            for (var row = 0; row < batched.Length; row++) Check(batched[row], rows[row]);
            foreach (var i in order[batched.Length..]) Check(i, together[i].Decode(next[i]));

            void Check(int sequence, float[] row)
            {
                Same(alone[sequence][step], row);
                next[sequence] = Follow(row);
            }
        }
    }

    [Fact]
    public void Step_ManySequencesAtOnce_GivesTheBitsOfAlone()
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var count = Math.Min(runtime.Info.MaxSequences, runtime.Info.Pages / PagesFor(runtime.Info, Tokens));
        var sequences = Enumerable.Range(0, count).Select(_ => pages.NewSequence(Tokens)).ToArray();
        for (var i = 0; i < count; i++) sequences[i].Prefill(Prompt(runtime, i, 1 + (i % 17)));
        var rows = Batch(runtime, [.. sequences.Select((sequence, i) => (sequence, i % runtime.Info.VocabularySize))]);
        for (var i = 0; i < count; i++)
        {
            sequences[i].Length--;
            Same(rows[i], sequences[i].Decode(i % runtime.Info.VocabularySize));
        }
    }

    [Fact]
    public void Step_OtherPages_GivesTheSameBits()
    {
        using var runtime = Open();
        var prompt = Prompt(runtime, 5, 37);
        var inOrder = Generate(runtime, new RuntimePages(runtime).NewSequence(Tokens), prompt, 3);
        for (var seed = 1; seed <= 3; seed++)
            Same(inOrder, Generate(runtime, new RuntimePages(runtime, seed).NewSequence(Tokens), prompt, 3));
    }

    [Fact]
    public void Step_PagesOfAnEndedSequence_HoldNothingOfIt()
    {
        using var runtime = Open();
        var fresh = Generate(runtime, new RuntimePages(runtime).NewSequence(Tokens), Prompt(runtime, 1, 9), 4);
        var used = new RuntimePages(runtime).NewSequence(Tokens);
        Generate(runtime, used, Prompt(runtime, 2, 40), 4);
        used.Length = 0;
        Same(fresh, Generate(runtime, used, Prompt(runtime, 1, 9), 4));
    }

    /// <summary>As after a preemption that kept the beginning.</summary>
    [Fact]
    public void Step_FromAnEarlierPosition_ForgetsWhatWasBehind()
    {
        using var runtime = Open();
        var sequence = new RuntimePages(runtime).NewSequence(Tokens);
        sequence.Prefill(Prompt(runtime, 3, 8));
        var first = sequence.Decode(1);
        sequence.Decode(2);
        sequence.Decode(3);
        sequence.Length = 8;
        Same(first, sequence.Decode(1));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Prefill_Divided_GivesTheSameBits(int seed)
    {
        using var runtime = Open();
        var info = runtime.Info;
        var pages = new RuntimePages(runtime);
        var prompt = Prompt(runtime, seed, 40);
        var whole = pages.NewSequence(Tokens).Prefill(prompt);
        if (info.Prefill == PrefillRule.FixedChunks)
        {
            // The division is fixed: what others do between the pieces is free.
            var (sequence, other) = (pages.NewSequence(Tokens), pages.NewSequence(Tokens));
            other.Prefill(Prompt(runtime, 99, 5));
            float[] last = [];
            for (var at = 0; at < prompt.Length; at += info.PrefillChunk)
            {
                other.Decode(seed);
                last = sequence.Append(prompt[at..Math.Min(prompt.Length, at + info.PrefillChunk)], StepLogits.Last);
            }

            Same(whole, last);
            return;
        }

        var random = new Random(seed);
        var (divided, neighbour) = (pages.NewSequence(Tokens), pages.NewSequence(Tokens));
        neighbour.Prefill(Prompt(runtime, 98, 3));
        var row = new float[2 * info.VocabularySize];
        for (int at = 0, length; at < prompt.Length; at += length)
        {
            length = Math.Min(random.Next(1, 12), prompt.Length - at);
            runtime.Step([neighbour.Step(new[] { seed }, StepLogits.Last), divided.Step(prompt.AsMemory(at, length), StepLogits.Last)], row);
            neighbour.Length++;
            divided.Length += length;
        }

        Same(whole, row[info.VocabularySize..]);
    }

    [Fact]
    public void Prefill_Pieces_GoThroughDecodeWhereTheyAreEqual()
    {
        using var runtime = Open();
        if (!runtime.Info.PrefillEqualsDecode) return;
        var pages = new RuntimePages(runtime);
        var tokens = Prompt(runtime, 7, 20);
        var rows = pages.NewSequence(Tokens).Append(tokens, StepLogits.All);
        var decoded = pages.NewSequence(Tokens);
        for (var i = 0; i < tokens.Length; i++) Same(Row(runtime, rows, i), decoded.Decode(tokens[i]));
    }

    [Fact]
    public void Step_RowsAskedFor_AreTheSameWhicheverAreAsked()
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var length = Math.Min(7, runtime.Info.Prefill == PrefillRule.FixedChunks ? runtime.Info.PrefillChunk : 7);
        var tokens = Prompt(runtime, 4, length);
        var all = pages.NewSequence(Tokens).Append(tokens, StepLogits.All);
        var last = pages.NewSequence(Tokens).Append(tokens, StepLogits.Last);
        Same(last, Row(runtime, all, length - 1));
        Assert.NotEqual(Row(runtime, all, 0), Row(runtime, all, 1));

        var silent = pages.NewSequence(Tokens);
        Assert.Empty(silent.Append(tokens, StepLogits.None));
        var loud = pages.NewSequence(Tokens);
        loud.Append(tokens, StepLogits.Last);
        Same(loud.Decode(1), silent.Decode(1));
    }

    [Fact]
    public void Step_SomeRowsAsked_AreInTheOrderOfTheSteps()
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var sequences = Enumerable.Range(0, 3).Select(_ => pages.NewSequence(Tokens)).ToArray();
        for (var i = 0; i < 3; i++) sequences[i].Prefill(Prompt(runtime, i, 6 + i));
        var vocabulary = runtime.Info.VocabularySize;
        var rows = new float[2 * vocabulary];
        runtime.Step(
            [sequences[2].Step(new[] { 1 }, StepLogits.Last), sequences[0].Step(new[] { 1 }, StepLogits.None), sequences[1].Step(new[] { 1 }, StepLogits.All)],
            rows);
        Same(sequences[2].Decode(1), rows[..vocabulary]);
        Same(sequences[1].Decode(1), rows[vocabulary..]);
    }

    [Fact]
    public void Step_FullPagesOfAnother_AreReadAndNotWritten()
    {
        using var runtime = Open();
        var info = runtime.Info;
        if (info.PageTokens >= Tokens) return;
        var pages = new RuntimePages(runtime);
        var prompt = Prompt(runtime, 6, info.PageTokens + 3);
        var owner = pages.NewSequence(Tokens);
        var first = Generate(runtime, owner, prompt, 3);
        var sharer = new RuntimeSequence(runtime, [owner.Pages[0], .. pages.NewSequence(Tokens - info.PageTokens).Pages]) { Length = info.PageTokens };
        var rows = new List<float[]> { sharer.Append(prompt[info.PageTokens..], StepLogits.Last) };
        for (var i = 1; i < 3; i++) rows.Add(sharer.Decode(Follow(rows[^1])));
        Same(first, [.. rows]);
        owner.Length = prompt.Length;
        Same(first[1], owner.Decode(Follow(first[0])));
    }

    [Fact]
    public void Step_ToTheEndOfTheContext_Works()
    {
        using var runtime = Open();
        var context = runtime.Info.ContextLength;
        var sequence = new RuntimePages(runtime).NewSequence(context);
        sequence.Prefill(Prompt(runtime, 8, context - 1));
        Assert.All(sequence.Decode(1), value => Assert.True(float.IsFinite(value)));
        Assert.Throws<TokenRuntimeException>(() => sequence.Decode(1));
    }

    [Fact]
    public void Embed_AnyState_AppendsLikeAStep()
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var tokens = Prompt(runtime, 9, 5);
        var (embedded, again, stepped) = (pages.NewSequence(Tokens), pages.NewSequence(Tokens), pages.NewSequence(Tokens));
        var hidden = new float[runtime.Info.HiddenSize];
        runtime.Embed(embedded.Step(tokens, StepLogits.None), hidden);
        embedded.Length += tokens.Length;
        Assert.All(hidden, value => Assert.True(float.IsFinite(value)));
        Assert.Contains(hidden, value => value != 0);
        stepped.Append(tokens, StepLogits.None);
        Same(stepped.Decode(1), embedded.Decode(1));

        var second = new float[hidden.Length];
        runtime.Embed(again.Step(tokens, StepLogits.None), second);
        Same(hidden, second);
        var other = pages.NewSequence(Tokens);
        runtime.Embed(other.Step(Prompt(runtime, 10, 5), StepLogits.None), second);
        Assert.NotEqual(hidden, second);
    }

    public static TheoryData<string> Mistakes =>
    [
        "token -1", "token = vocabulary", "no tokens", "start -1", "beyond the context", "too few pages", "page -1", "page = pages",
        "no room for logits", "too many sequences", "hidden too small",
    ];

    [Theory, MemberData(nameof(Mistakes))]
    public void Step_Mistake_IsRefusedAndHarmsNobody(string mistake)
    {
        using var runtime = Open();
        var pages = new RuntimePages(runtime);
        var bystander = pages.NewSequence(Tokens);
        bystander.Prefill(Prompt(runtime, 1, 9));
        var before = bystander.Decode(3);
        bystander.Length--;
        var error = Assert.Throws<TokenRuntimeException>(() => Make(mistake, runtime, pages.NewSequence(Tokens)));
        Assert.NotEmpty(error.Message);
        Same(before, bystander.Decode(3));
    }

    [Fact]
    public void Dispose_Twice_IsHarmless_AndStepsAreOver()
    {
        var runtime = Open();
        var sequence = new RuntimePages(runtime).NewSequence(Tokens);
        runtime.Dispose();
        runtime.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sequence.Decode(1));
    }

    private static void Make(string mistake, ITokenRuntime runtime, RuntimeSequence sequence)
    {
        var info = runtime.Info;
        var room = new float[info.VocabularySize * (info.MaxSequences + 1)];
        int[] one = [1];
        var step = sequence.Step(one, StepLogits.Last);
        switch (mistake)
        {
            case "token -1": runtime.Step([sequence.Step(new[] { -1 }, StepLogits.Last)], room); break;
            case "token = vocabulary": runtime.Step([sequence.Step(new[] { info.VocabularySize }, StepLogits.Last)], room); break;
            case "no tokens": runtime.Step([sequence.Step(Array.Empty<int>(), StepLogits.Last)], room); break;
            case "start -1": runtime.Step([step with { Start = -1 }], room); break;
            case "beyond the context": runtime.Step([step with { Start = info.ContextLength }], room); break;
            case "too few pages": runtime.Step([step with { Pages = Array.Empty<int>() }], room); break;
            case "page -1": runtime.Step([step with { Pages = new[] { -1 } }], room); break;
            case "page = pages": runtime.Step([step with { Pages = new[] { info.Pages } }], room); break;
            case "no room for logits": runtime.Step([step], room.AsSpan(0, info.VocabularySize - 1)); break;
            case "too many sequences":
                // The pages are another matter: whoever shares one does not get further than the count.
                runtime.Step(Enumerable.Repeat(step with { Logits = StepLogits.None }, info.MaxSequences + 1).ToArray(), room);
                break;
            case "hidden too small": runtime.Embed(step, new float[info.HiddenSize - 1]); break;
            default: throw new ArgumentOutOfRangeException(nameof(mistake));
        }
    }

    private static float[][] Generate(ITokenRuntime runtime, RuntimeSequence sequence, int[] prompt, int rows)
    {
        var all = new List<float[]> { sequence.Prefill(prompt) };
        while (all.Count < rows) all.Add(sequence.Decode(Follow(all[^1])));
        Assert.All(all, row => Assert.Equal(runtime.Info.VocabularySize, row.Length));
        return [.. all];
    }

    private static float[][] GenerateAlone(ITokenRuntime runtime, RuntimePages pages, int[] prompt, int rows)
    {
        var sequence = pages.NewSequence(Tokens);
        var all = Generate(runtime, sequence, prompt, rows);
        pages.Free(sequence);
        return all;
    }

    private static float[][] Batch(ITokenRuntime runtime, (RuntimeSequence Sequence, int Token)[] steps)
    {
        var vocabulary = runtime.Info.VocabularySize;
        var rows = new float[steps.Length * vocabulary];
        runtime.Step(steps.Select(step => step.Sequence.Step(new[] { step.Token }, StepLogits.Last)).ToArray(), rows);
        foreach (var (sequence, _) in steps) sequence.Length++;
        return [.. Enumerable.Range(0, steps.Length).Select(i => Row(runtime, rows, i))];
    }

    private static float[] Row(ITokenRuntime runtime, float[] rows, int index) =>
        rows[(index * runtime.Info.VocabularySize)..((index + 1) * runtime.Info.VocabularySize)];

    private static int[] Prompt(ITokenRuntime runtime, int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(runtime.Info.VocabularySize))];
    }

    /// <summary>The largest logit's token: what a greedy caller would feed next.</summary>
    private static int Follow(float[] row) => Array.IndexOf(row, row.Max());

    private static int PagesFor(TokenModelInfo info, int tokens) => (tokens + info.PageTokens - 1) / info.PageTokens;

    private static void Same(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Same(expected[i], actual[i]);
    }

    // By bits: float comparison takes 0 and -0 for equal, and prints numbers that differ as equal.
    private static void Same(float[] expected, float[] actual) =>
        Assert.True(MemoryMarshal.AsBytes(expected.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(actual.AsSpan())), "the bits differ");
}
