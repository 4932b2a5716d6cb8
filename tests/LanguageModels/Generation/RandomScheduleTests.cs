using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

/// <summary>
/// Whatever else is served, whether a prefix was cached or not, whether a sequence was preempted or not: each answer is the one
/// that its request gives alone. Everything about a schedule comes from its seed, but for what the threads add.
/// </summary>
public sealed class RandomScheduleTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    /// <summary>Five schedules per case: three hundred in all.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public async Task Answers_UnderAnySchedule_AreThoseOfAlone(int seed)
    {
        for (var schedule = 0; schedule < 5; schedule++) await Run(new Random((seed * 1000) + schedule));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public async Task Answers_OfARuntimeWithFixedChunks_AreThoseOfAlone(int seed)
    {
        var random = new Random(seed);
        var info = FakeRuntime.Chunked with { MaxSequences = random.Next(1, 7), PrefillChunk = random.Next(1, 20) };
        if (info.MaxSequences > info.Pages) info = info with { MaxSequences = info.Pages };
        GenerationRequest[] requests = [.. Enumerable.Range(0, 30).Select(_ => Random(random, info.ContextLength, info.VocabularySize))];
        var alone = new List<GenerationResult>();
        await using (var model = FakeModel.Serve(new FakeRuntime(info)))
            foreach (var request in requests) alone.Add(await model.Answer(request));

        var runtime = new FakeRuntime(info);
        await using var together = FakeModel.Serve(runtime);
        var generations = requests.Select(together.Started).ToArray();
        for (var i = 0; i < requests.Length; i++)
        {
            var result = await generations[i].Completion.WaitAsync(FakeModel.Patience);
            Assert.Null(result.Failure);
            Assert.Equal(alone[i].Tokens, result.Tokens);
            Assert.Equal(0, result.Times.Preemptions);
            Assert.Equal(0, result.Usage.CachedPromptTokens);
            FakeModel.Same(alone[i].Logprobs, result.Logprobs);
        }

        Assert.Equal(0, together.Statistics.PagesHeld);
        Assert.Equal(0, together.Statistics.PagesCached);
    }

    /// <summary>The schedules above are worth something only if they get into every corner.</summary>
    [Fact]
    public async Task Schedules_AllOfThem_PreemptEvictAndShare()
    {
        long preemptions = 0, cached = 0;
        for (var seed = 1; seed <= 12; seed++)
        {
            var statistics = await Run(new Random(seed * 1000));
            preemptions += statistics.Preemptions;
            cached += statistics.CachedPromptTokens;
        }

        Assert.True(preemptions > 10, $"{preemptions} preemptions");
        Assert.True(cached > 100, $"{cached} tokens were cached");
    }

    private static async Task<LanguageModelStatistics> Run(Random random)
    {
        var pageTokens = random.Next(1, 17);
        // As little as holds the longest request, up to plenty.
        var pages = ((FakeRuntime.Small.ContextLength + pageTokens - 1) / pageTokens * (random.Next(3) == 0 ? 3 : 1)) + random.Next(8);
        var slots = random.Next(1, 9);
        var info = FakeRuntime.Small with { PageTokens = pageTokens, Pages = pages, MaxSequences = slots, MaxStepTokens = Math.Max(slots, random.Next(1, 200)) };
        var options = new LanguageModelOptions
        {
            PrefillTokensPerStep = random.Next(1, 100), ReusePrefixes = random.Next(4) > 0, SharePrefixesAcrossCallers = random.Next(2) == 0, MaxCallerShare = 1,
        };
        var runtime = new FakeRuntime(info);
        var prefixes = Enumerable.Range(0, 3).Select(_ => Tokens(random, random.Next(1, 60), info.VocabularySize)).ToArray();
        await using var model = FakeModel.Serve(runtime, options);
        var running = new List<Task>();
        for (var i = 0; i < 24; i++)
        {
            var request = Random(random, info.ContextLength, info.VocabularySize, prefixes[random.Next(3)]);
            running.Add(Follow(model, runtime, request, random.Next(4) == 0 ? random.Next(1, 10) : null));
            if (random.Next(3) == 0) await Task.Delay(random.Next(3));
        }

        await Task.WhenAll(running).WaitAsync(FakeModel.Patience);
        var statistics = model.Statistics;
        Assert.Equal(0, statistics.PagesHeld);
        Assert.Equal((0, 0, 0), (statistics.Waiting, statistics.Running, statistics.Preempted));
        Assert.Equal(24, statistics.Finished.Values.Sum());
        return statistics;
    }

    /// <param name="cancelAfter">Tokens after which the reader goes away; null to stay.</param>
    private static async Task Follow(LanguageModel model, FakeRuntime runtime, GenerationRequest request, int? cancelAfter)
    {
        var generation = model.Started(request);
        var read = new List<int>();
        await Task.Yield();
        if (cancelAfter is { } limit)
        {
            await foreach (var part in generation.ReadPartsAsync(default))
            {
                read.AddRange(part.Tokens);
                if (read.Count >= limit) break;
            }
        }

        var result = await generation.Completion;
        var (tokens, finish, logprobs) = FakeModel.Expected(runtime, request);
        Assert.Null(result.Failure);
        if (result.Finish == FinishReason.Cancelled)
        {
            Assert.NotNull(cancelAfter);
            Assert.Equal(tokens[..result.Tokens.Count], result.Tokens);
            Assert.Equal(tokens[..read.Count], read);
            return;
        }

        Assert.Equal(tokens, result.Tokens);
        Assert.Equal(finish, result.Finish);
        FakeModel.Same(logprobs, result.Logprobs);
        Assert.Equal(request.Prompt.Length, result.Usage.PromptTokens);
    }

    private static GenerationRequest Random(Random random, int context, int vocabulary, int[]? prefix = null)
    {
        int[] prompt = [.. prefix ?? [], .. Tokens(random, random.Next(prefix is null ? 1 : 0, 50), vocabulary)];
        return new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = random.Next(1, Math.Min(80, context - prompt.Length + 1)),
            IgnoreEndOfSequence = random.Next(2) == 0,
            Caller = random.Next(3) switch { 0 => null, 1 => "a", _ => "b" },
            Priority = (RequestPriority)random.Next(3),
            IsStreamed = random.Next(2) == 0,
            Sampling = new SamplingParameters
            {
                Temperature = random.Next(3) switch { 0 => 0, 1 => 1, _ => 0.5f + random.NextSingle() },
                Seed = (ulong)random.NextInt64(),
                TopK = random.Next(2) * random.Next(1, 40),
                TopP = random.Next(2) == 0 ? 1 : 0.3f + (0.6f * random.NextSingle()),
                MinP = random.Next(3) == 0 ? 0.05f : 0,
                RepetitionPenalty = random.Next(3) == 0 ? 1.2f : 1,
                PresencePenalty = random.Next(3) == 0 ? 0.5f : 0,
                FrequencyPenalty = random.Next(3) == 0 ? 0.25f : 0,
                TopLogprobs = random.Next(2) == 0 ? null : random.Next(4),
            },
        };
    }

    private static int[] Tokens(Random random, int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
}
