using System.Numerics;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>Counts durations in buckets 1/16 of a power of two wide: constant memory, at most 6.25 % too long an answer. Guarded by its owner's lock.</summary>
internal sealed class GapHistogram
{
    internal const int Steps = 16;

    private readonly long[] _counts = new long[64 * Steps];
    private long _total;
    private ulong _max;
    private double _seconds;

    public void Add(ulong nanoseconds, int receipts)
    {
        _counts[Bucket(nanoseconds)] += receipts;
        _total += receipts;
        _max = Math.Max(_max, nanoseconds);
        _seconds += nanoseconds * 1e-9 * receipts;
    }

    public GapPercentiles Snapshot() => GapDistribution.Percentiles(_counts, _total, _max);

    /// <summary>Everything counted so far, for whoever computes without the lock.</summary>
    public GapDistribution Copy() => new([.. _counts], _total, _max, _seconds);

    /// <summary>Bucket i holds what is above the upper edge of bucket i - 1 and at most its own: powers of two are edges.</summary>
    internal static int Bucket(ulong value)
    {
        if (value > 0) value--;
        if (value < Steps) return (int)value;
        var power = BitOperations.Log2(value);
        return ((power - 3) * Steps) + (int)((value >> (power - 4)) & (Steps - 1));
    }

    internal static ulong UpperEdge(int bucket)
    {
        if (bucket < Steps) return (ulong)bucket + 1;
        var power = (bucket / Steps) + 3;
        return ((ulong)(Steps + (bucket % Steps)) + 1) << (power - 4);
    }
}

/// <summary>How long receipts took to a stage, counted since the process began.</summary>
public readonly record struct GapPercentiles(long Receipts, TimeSpan P50, TimeSpan P90, TimeSpan P99, TimeSpan Max);
