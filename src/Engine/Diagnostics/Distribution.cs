using OpenGradient.Engine.Diagnostics;

namespace OpenGradient.Engine;

/// <summary>
/// How values were spread, at one moment: nanoseconds for a stage, rows for batch sizes. Quantiles are at most 12.5 % above
/// the value they name; count, sum and largest are exact. Immutable.
/// </summary>
public sealed class Distribution
{
    private readonly long[] _counts;

    internal Distribution(IEnumerable<LogHistogram> parts)
    {
        _counts = new long[LogHistogram.BucketCount];
        foreach (var part in parts)
        {
            part.AddTo(_counts);
            Sum += part.Sum;
            Max = Math.Max(Max, part.Max);
        }

        foreach (var count in _counts) Count += count;
    }

    /// <summary>Of nothing.</summary>
    public static Distribution Empty { get; } = new([]);

    public long Count { get; }

    public long Sum { get; }

    public long Max { get; }

    public long P50 => Quantile(0.50);

    public long P90 => Quantile(0.90);

    public long P99 => Quantile(0.99);

    /// <summary>The value that a share of all values does not exceed; 0 when there are none.</summary>
    /// <param name="share">0 to 1.</param>
    public long Quantile(double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        var rank = Math.Max(1, (long)Math.Ceiling(Count * share));
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length - 1; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank) return Math.Min(LogHistogram.UpperEdge(bucket), Max);
        }

        return Max;
    }

    /// <summary>How many values are at most <paramref name="bound"/>: exact for powers of two; otherwise without the bucket that the bound falls into.</summary>
    public long CountAtMost(long bound)
    {
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length - 1 && LogHistogram.UpperEdge(bucket) <= bound; bucket++) seen += _counts[bucket];
        return seen;
    }
}
