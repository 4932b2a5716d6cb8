namespace OpenGradient.Engine.Settlement.State;

/// <summary>How long receipts took to a stage, at one moment, since the process began. Quantiles are at most 6.25 % too long. Immutable.</summary>
public sealed class GapDistribution
{
    private readonly long[] _counts;
    private readonly ulong _max;

    internal GapDistribution(long[] counts, long total, ulong max, double seconds) => (_counts, Receipts, _max, SumSeconds) = (counts, total, max, seconds);

    /// <summary>Of nothing.</summary>
    public static GapDistribution Empty { get; } = new([], 0, 0, 0);

    public long Receipts { get; }

    public double SumSeconds { get; }

    public GapPercentiles AtPercentiles() => Percentiles(_counts, Receipts, _max);

    /// <summary>Receipts that took at most so long: exact for powers of two of nanoseconds; otherwise without the bucket that the bound falls into.</summary>
    public long CountAtMost(ulong nanoseconds)
    {
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length && GapHistogram.UpperEdge(bucket) <= nanoseconds; bucket++) seen += _counts[bucket];
        return seen;
    }

    internal static GapPercentiles Percentiles(ReadOnlySpan<long> counts, long total, ulong max) =>
        new(total, At(counts, total, max, 0.50), At(counts, total, max, 0.90), At(counts, total, max, 0.99), Span(max));

    private static TimeSpan At(ReadOnlySpan<long> counts, long total, ulong max, double quantile)
    {
        if (total == 0) return TimeSpan.Zero;
        var rank = (long)Math.Ceiling(total * quantile);
        long seen = 0;
        for (var bucket = 0; bucket < counts.Length; bucket++)
        {
            seen += counts[bucket];
            if (seen >= rank) return Span(Math.Min(GapHistogram.UpperEdge(bucket), max));
        }

        return Span(max);
    }

    private static TimeSpan Span(ulong nanoseconds) => TimeSpan.FromTicks((long)Math.Min(nanoseconds / 100, long.MaxValue));
}
