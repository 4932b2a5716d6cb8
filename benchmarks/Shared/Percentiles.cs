using System.Diagnostics;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>Latencies in microseconds.</summary>
internal readonly record struct Percentiles(double P50, double P99)
{
    /// <summary>Sorts the ticks in place.</summary>
    public static Percentiles Of(List<long> ticks)
    {
        if (ticks.Count == 0) return default;
        ticks.Sort();
        return new Percentiles(At(ticks, 0.50), At(ticks, 0.99));
    }

    private static double At(List<long> sorted, double fraction) =>
        TimeSpan.FromSeconds((double)sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * fraction))] / Stopwatch.Frequency).TotalMicroseconds;
}
