using System.Numerics;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>Counts durations in buckets 1/16 of a power of two wide: constant memory, at most 6.25 % too long an answer. Guarded by its owner's lock.</summary>
internal sealed class GapHistogram
{
    private const int Steps = 16;

    private readonly long[] _counts = new long[64 * Steps];
    private long _total;
    private ulong _max;

    public void Add(ulong nanoseconds, int receipts)
    {
        _counts[Bucket(nanoseconds)] += receipts;
        _total += receipts;
        _max = Math.Max(_max, nanoseconds);
    }

    public GapPercentiles Snapshot() => new(_total, At(0.50), At(0.90), At(0.99), Span(_max));

    private TimeSpan At(double quantile)
    {
        if (_total == 0) return TimeSpan.Zero;
        var rank = (long)Math.Ceiling(_total * quantile);
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank) return Span(Math.Min(UpperEdge(bucket), _max));
        }

        return Span(_max);
    }

    private static int Bucket(ulong value)
    {
        if (value < Steps) return (int)value;
        var power = BitOperations.Log2(value);
        return ((power - 3) * Steps) + (int)((value >> (power - 4)) & (Steps - 1));
    }

    private static ulong UpperEdge(int bucket)
    {
        if (bucket < Steps) return (ulong)bucket;
        var power = (bucket / Steps) + 3;
        return (((ulong)(Steps + (bucket % Steps)) + 1) << (power - 4)) - 1;
    }

    private static TimeSpan Span(ulong nanoseconds) => TimeSpan.FromTicks((long)Math.Min(nanoseconds / 100, long.MaxValue));
}

/// <summary>How long receipts took to a stage, counted since the process began.</summary>
public readonly record struct GapPercentiles(long Receipts, TimeSpan P50, TimeSpan P90, TimeSpan P99, TimeSpan Max);
