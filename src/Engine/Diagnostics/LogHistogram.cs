using System.Numerics;

namespace OpenGradient.Engine.Diagnostics;

/// <summary>
/// Counts values in buckets an eighth of a power of two wide: constant memory (2.5 KiB), no allocation, at most 12.5 % too
/// large an answer. Written by one thread; others may read at any time and then see some counts a little late.
/// </summary>
internal sealed class LogHistogram
{
    private const int StepBits = 3;
    private const int Steps = 1 << StepBits;

    // Values above 2^41 (36 minutes in nanoseconds) share the last bucket; the largest is kept exactly.
    private const int MaxPower = 40;

    private readonly long[] _counts = new long[BucketCount];
    private long _sum;
    private long _max;

    public const int BucketCount = ((MaxPower - StepBits + 1) * Steps) + Steps;

    public long Sum => Volatile.Read(ref _sum);

    public long Max => Volatile.Read(ref _max);

    public void Add(long value)
    {
        _counts[BucketOf(value)]++;
        _sum += value;
        if (value > _max) _max = value;
    }

    /// <summary>Adds this one's counts to a sum over several.</summary>
    public void AddTo(Span<long> counts)
    {
        for (var i = 0; i < counts.Length; i++) counts[i] += Volatile.Read(ref _counts[i]);
    }

    /// <summary>The largest value of a bucket. Every power of two is one.</summary>
    public static long UpperEdge(int bucket)
    {
        if (bucket < Steps) return bucket + 1;
        var power = (bucket / Steps) + StepBits - 1;
        return ((long)Steps + (bucket % Steps) + 1) << (power - StepBits);
    }

    private static int BucketOf(long value)
    {
        // A bucket includes its upper edge and not its lower, as Prometheus' le does: hence one less.
        if (value <= Steps) return value <= 1 ? 0 : (int)value - 1;
        var below = (ulong)value - 1;
        var power = BitOperations.Log2(below);
        return power > MaxPower ? BucketCount - 1 : ((power - StepBits + 1) * Steps) + (int)((below >> (power - StepBits)) & (Steps - 1));
    }
}
