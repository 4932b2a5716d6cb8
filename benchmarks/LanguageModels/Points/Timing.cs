using System.Diagnostics;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>Seconds that something takes, and prompts of random tokens.</summary>
internal static class Timing
{
    public static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static int[] Prompt(int vocabulary, int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary))];
    }

    /// <summary>The largest logit's token, the lowest among equals.</summary>
    public static int Largest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var i = 1; i < row.Length; i++)
            if (row[i] > row[best]) best = i;
        return best;
    }
}
