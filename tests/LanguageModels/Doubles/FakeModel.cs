using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>Served models over <see cref="FakeRuntime"/>, and what they have to answer.</summary>
internal static class FakeModel
{
    public const int End = 7;

    /// <summary>So long that only a hang reaches it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static LanguageModel Serve(FakeRuntime runtime, LanguageModelOptions? options = null, LanguageModelServices? services = null, Tokenizer? tokenizer = null) =>
        new(Parts(runtime, tokenizer), options ?? new LanguageModelOptions(), services ?? new LanguageModelServices());

    public static LanguageModelParts Parts(ITokenRuntime runtime, Tokenizer? tokenizer = null) => new()
    {
        Name = "fake", Version = "1", Runtime = runtime, Tokenizer = tokenizer!, EndTokens = [End],
    };

    public static GenerationRequest Request(int[] prompt, int maxTokens, SamplingParameters? sampling = null) => new()
    {
        Prompt = prompt, MaxTokens = maxTokens, Sampling = sampling ?? new SamplingParameters { Temperature = 0 }, IgnoreEndOfSequence = true,
    };

    public static IGeneration Started(this LanguageModel model, GenerationRequest request)
    {
        var generation = model.Start(request, out var failure);
        Assert.Null(failure);
        return generation!;
    }

    public static GenerationFailure Refused(this LanguageModel model, GenerationRequest request)
    {
        Assert.Null(model.Start(request, out var failure));
        return failure!;
    }

    public static Task<GenerationResult> Answer(this LanguageModel model, GenerationRequest request) => model.Started(request).Completion.WaitAsync(Patience);

    public static async Task<List<GenerationPart>> Parts(this IGeneration generation)
    {
        var parts = new List<GenerationPart>();
        await foreach (var part in generation.ReadPartsAsync(default)) parts.Add(part);
        return parts;
    }

    /// <summary>Computed from the rows that the tokens give, without pages, scheduler or neighbours.</summary>
    public static (int[] Tokens, FinishReason Finish, TokenLogprobs[] Logprobs) Expected(FakeRuntime runtime, GenerationRequest request)
    {
        var sampler = new TokenSampler(request.Sampling, request.Sampling.Seed ?? 0, request.Prompt.Span);
        List<int> tokens = [.. request.Prompt.Span];
        List<TokenLogprobs> logprobs = [];
        var finish = FinishReason.Length;
        while (tokens.Count - request.Prompt.Length < request.MaxTokens)
        {
            var chosen = sampler.Next(runtime.Expected(tokens.ToArray()), []);
            sampler.Accept(chosen.Token);
            tokens.Add(chosen.Token);
            if (chosen.Logprobs is { } own) logprobs.Add(own);
            if (chosen.Token != End || request.IgnoreEndOfSequence) continue;
            finish = FinishReason.EndOfSequence;
            break;
        }

        return ([.. tokens[request.Prompt.Length..]], finish, [.. logprobs]);
    }

    public static void Same(IReadOnlyList<TokenLogprobs> expected, IReadOnlyList<TokenLogprobs> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Token, actual[i].Token);
            Assert.Equal(BitConverter.SingleToInt32Bits(expected[i].Logprob), BitConverter.SingleToInt32Bits(actual[i].Logprob));
            Assert.Equal(expected[i].Top, actual[i].Top);
        }
    }

    /// <summary>Waits for what another thread brings about.</summary>
    public static async Task Until(Func<bool> condition)
    {
        for (var waited = 0; !condition(); waited++)
        {
            Assert.True(waited < 12_000, "it did not come about");
            await Task.Delay(10);
        }
    }
}
