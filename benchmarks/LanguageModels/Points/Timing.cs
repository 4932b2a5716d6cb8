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

    /// <summary>
    /// Waits until no thread of this process computes. llama.cpp's look for work for about a third of a second after a call, on a
    /// core that the side measured next would share with them.
    /// </summary>
    public static void Settle()
    {
        for (var i = 0; i < 200; i++)
        {
            var before = Environment.CpuUsage.TotalTime;
            Thread.Sleep(10);
            if (Environment.CpuUsage.TotalTime - before < TimeSpan.FromMilliseconds(1)) return;
        }
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
