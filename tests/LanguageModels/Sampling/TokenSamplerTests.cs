using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Sampling;

public sealed class TokenSamplerTests
{
    /// <summary>A program in another language, written from docs/formats.md alone, drew these tokens.</summary>
    [Fact]
    public void Next_GoldenRows_GivesTheGoldenTokens()
    {
        var seen = 0;
        foreach (var vector in Vectors.Of("samples"))
        {
            var columns = vector.GetProperty("logits").GetArrayLength();
            var chosen = Sample(vector, vector.GetProperty("allowed").ValueKind == JsonValueKind.Null ? [] : Mask(columns, vector.Ints("allowed")));
            Assert.Equal((SamplingOutcome.Chosen, vector.Int("token")), (chosen.Outcome, chosen.Token));
            seen++;
        }

        Assert.Equal(120, seen);
    }

    [Theory, InlineData(1, 0, 1f, 0f), InlineData(1, 5, 1f, 0f), InlineData(0.7f, 0, 0.8f, 0f), InlineData(1.5f, 20, 0.9f, 0.02f), InlineData(1, 0, 1f, 0.1f)]
    public void Next_ManyDraws_FollowTheDistribution(float temperature, int topK, float topP, float minP)
    {
        const int Draws = 40_000;
        var random = new Random(3);
        float[] logits = [.. Enumerable.Range(0, 40).Select(_ => (float)(random.NextDouble() * 6))];
        var expected = Distribution(logits, temperature, topK, topP, minP);
        var counts = new int[logits.Length];
        var sampler = new TokenSampler(new SamplingParameters { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP }, 99, []);
        for (var i = 0; i < Draws; i++)
        {
            counts[sampler.Next(logits, []).Token]++;
            sampler.Accept(0);
        }

        var (square, freedom) = (0.0, -1);
        for (var i = 0; i < counts.Length; i++)
        {
            if (expected[i] == 0) Assert.Equal(0, counts[i]);
            if (expected[i] == 0) continue;
            freedom++;
            square += Math.Pow(counts[i] - (Draws * expected[i]), 2) / (Draws * expected[i]);
        }

        // Five standard deviations of the statistic; the draws are always the same, so this fails for ever or never.
        Assert.True(square < freedom + (5 * Math.Sqrt(2 * freedom)), $"chi-square {square} with {freedom} degrees of freedom");
    }

    [Theory, InlineData(1), InlineData(15), InlineData(16), InlineData(17), InlineData(128), InlineData(151_936)]
    public void Next_TemperatureZero_TakesTheLargestAndTheLowestIdAmongEquals(int columns)
    {
        var random = new Random(columns);
        float[] logits = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle())];
        var sampler = new TokenSampler(new SamplingParameters { Temperature = 0 }, 1, []);
        logits[columns - 1] = 5;
        Assert.Equal(columns - 1, sampler.Next(logits, []).Token);
        logits[columns / 2] = 5;
        Assert.Equal(columns / 2, sampler.Next(logits, []).Token);
        Array.Fill(logits, -0f);
        logits[columns - 1] = 0;
        Assert.Equal(0, sampler.Next(logits, []).Token);
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void Next_LogitThatIsNoNumber_IsNamed(float value)
    {
        foreach (var columns in (int[])[5, 16, 40, 1000])
            for (var at = 0; at < columns; at += 1 + (columns / 7))
            {
                var logits = new float[columns];
                logits[at] = value;
                Assert.Equal(SamplingOutcome.NotFinite, new TokenSampler(new SamplingParameters(), 1, []).Next(logits, []).Outcome);
            }
    }

    [Fact]
    public void Next_EverythingForbidden_IsNamed()
    {
        Assert.Equal(SamplingOutcome.NothingAllowed, new TokenSampler(new SamplingParameters(), 1, []).Next(new float[70], new ulong[2]).Outcome);
        Assert.Equal(SamplingOutcome.NothingAllowed, new TokenSampler(new SamplingParameters(), 1, []).Next(Enumerable.Repeat(float.NegativeInfinity, 70).ToArray(), []).Outcome);
    }

    [Fact]
    public void Next_Mask_IsNeverLeft()
    {
        var random = new Random(2);
        for (var i = 0; i < 300; i++)
        {
            var columns = random.Next(1, 300);
            int[] allowed = [.. Enumerable.Range(0, columns).Where(_ => random.Next(5) == 0).Append(random.Next(columns)).Distinct()];
            float[] logits = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle() * 3)];
            var sampler = new TokenSampler(new SamplingParameters { TopP = random.Next(2) == 0 ? 1 : 0.9f, Temperature = random.Next(3) }, (ulong)i, []);
            Assert.Contains(sampler.Next(logits, Mask(columns, allowed)).Token, allowed);
        }
    }

    /// <summary>A vocabulary as large as models have, flat and steep, so that every shortcut is taken and not taken.</summary>
    [Theory, InlineData(0.001f), InlineData(1f), InlineData(8f)]
    public void Next_LargeVocabulary_KeepsWhatSortingKeeps(float spread)
    {
        var random = new Random(11);
        var columns = 151_936;
        float[] logits = [.. Enumerable.Range(0, columns).Select(_ => (float)(spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
        foreach (var (topK, topP, minP) in ((int, float, float)[])[(0, 0.9f, 0), (20, 1, 0), (50, 0.8f, 0), (5000, 0.99f, 0), (0, 1, 0.2f), (0, 0.5f, 0.01f), (1, 1, 0), (151_936, 1, 0)])
        {
            var kept = Distribution(logits, 1, topK, topP, minP);
            var sampler = new TokenSampler(new SamplingParameters { TopK = topK, TopP = topP, MinP = minP }, 5, []);
            for (var i = 0; i < 20; i++)
            {
                Assert.NotEqual(0, kept[sampler.Next(logits, []).Token]);
                sampler.Accept(0);
            }
        }
    }

    [Fact]
    public void Next_Logprobs_AreOfTheModelsOwnDistribution()
    {
        float[] logits = [1, 3, 2, 3, -5, .. Enumerable.Repeat(-30f, 30)];
        var sum = Math.Log(logits.Sum(value => Math.Exp(value)));
        var parameters = new SamplingParameters { Temperature = 0, TopLogprobs = 3, LogitBias = new Dictionary<int, float> { [4] = 100 }, RepetitionPenalty = 2 };
        var chosen = new TokenSampler(parameters, 1, [1]).Next((float[])logits.Clone(), []);
        Assert.Equal(4, chosen.Token);
        Assert.Equal(-5 - sum, chosen.Logprobs!.Logprob, 5);
        Assert.Equal([1, 3, 2], chosen.Logprobs.Top.Select(top => top.Token));
        Assert.Equal(3 - sum, chosen.Logprobs.Top[0].Logprob, 5);
        Assert.Equal(2 - sum, chosen.Logprobs.Top[2].Logprob, 5);
        Assert.Null(new TokenSampler(parameters with { TopLogprobs = null }, 1, []).Next(logits, []).Logprobs);
    }

    [Fact]
    public void Next_Penalties_AreThoseOfTheManual()
    {
        float[] logits = [2, -2, 1, 1];
        var parameters = new SamplingParameters { Temperature = 0, RepetitionPenalty = 2, PresencePenalty = 0.25f, FrequencyPenalty = 0.5f };
        var sampler = new TokenSampler(parameters, 1, [0, 1]);
        sampler.Accept(2);
        sampler.Accept(2);
        sampler.Next(logits, []);
        Assert.Equal([1, -4, 0.5f - 1 - 0.25f, 1], logits);
    }

    [Fact]
    public void Next_SameIndex_GivesTheSameToken()
    {
        float[] logits = [.. Enumerable.Range(0, 50).Select(i => i % 7 / 2f)];
        var sampler = new TokenSampler(new SamplingParameters(), 17, []);
        int Next() => sampler.Next(logits, []).Token;
        var first = Next();
        Assert.Equal(first, Next());
        var tokens = Enumerable.Range(0, 30).Select(_ =>
        {
            sampler.Accept(0);
            return Next();
        }).ToArray();
        Assert.True(tokens.Distinct().Count() > 10);
    }

    private static SampledToken Sample(JsonElement vector, ulong[] allowed)
    {
        float[] logits = [.. vector.GetProperty("logits").EnumerateArray().Select(bits => BitConverter.UInt32BitsToSingle(bits.GetUInt32()))];
        var sampler = new TokenSampler(vector.Sampling(), vector.Long("seed"), vector.Ints("prompt"));
        foreach (var token in vector.Ints("answer")) sampler.Accept(token);
        return sampler.Next(logits, allowed);
    }

    private static ulong[] Mask(int columns, int[] allowed)
    {
        var mask = new ulong[(columns + 63) / 64];
        foreach (var token in allowed) mask[token / 64] |= 1ul << (token % 64);
        return mask;
    }

    /// <summary>By sorting, in double precision. Probabilities of tokens at a border that rounding may move are told apart by 10^-6.</summary>
    private static double[] Distribution(float[] logits, float temperature, int topK, float topP, float minP)
    {
        var max = logits.Max();
        double[] weights = [.. logits.Select(logit => Math.Exp((logit - max) / (double)temperature))];
        int[] order = [.. Enumerable.Range(0, logits.Length).OrderByDescending(i => weights[i]).ThenBy(i => i)];
        if (topK > 0) order = order[..Math.Min(topK, order.Length)];
        if (topP < 1)
        {
            var (total, sum, count) = (order.Sum(i => weights[i]), 0.0, 0);
            while (count < order.Length && sum < (topP + 1e-6) * total) sum += weights[order[count++]];
            order = order[..count];
        }

        order = [.. order.Where(i => weights[i] >= minP - 1e-9)];
        var kept = order.Sum(i => weights[i]);
        var probabilities = new double[logits.Length];
        foreach (var i in order) probabilities[i] = weights[i] / kept;
        return probabilities;
    }
}
