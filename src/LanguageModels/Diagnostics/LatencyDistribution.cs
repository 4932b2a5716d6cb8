namespace OpenGradient.Engine.LanguageModels;

/// <summary>How durations were spread, at one moment. Count, sum and largest are exact; quantiles are at most 19% above. Immutable.</summary>
public sealed class LatencyDistribution
{
    private readonly long[] _counts;

    internal LatencyDistribution(long[] counts, double sum, double max)
    {
        _counts = counts;
        SumSeconds = sum;
        MaxSeconds = max;
        foreach (var count in counts) Count += count;
    }

    /// <summary>Upper edges of the buckets, in seconds: four per doubling, from 100 µs to 15 minutes. What is above has a bucket of its own.</summary>
    public static IReadOnlyList<double> Edges { get; } = [.. Enumerable.Range(0, 93).Select(step => 1e-4 * Math.Pow(2, step / 4.0))];

    public long Count { get; }

    public double SumSeconds { get; }

    public double MaxSeconds { get; }

    /// <summary>By bucket; one more than <see cref="Edges"/>.</summary>
    public IReadOnlyList<long> Counts => _counts;

    /// <summary>How many took at most so long, as far as buckets tell: exact at their edges.</summary>
    public long CountAtMost(double seconds)
    {
        long sum = 0;
        for (var bucket = 0; bucket < Edges.Count && Edges[bucket] <= seconds; bucket++) sum += _counts[bucket];
        return sum;
    }

    /// <summary>Seconds that a share of all do not exceed; 0 when there are none.</summary>
    /// <param name="share">0 to 1.</param>
    public double Quantile(double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        var rank = Math.Max(1, (long)Math.Ceiling(Count * share));
        long seen = 0;
        for (var bucket = 0; bucket < Edges.Count; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank) return Math.Min(Edges[bucket], MaxSeconds);
        }

        return MaxSeconds;
    }
}
