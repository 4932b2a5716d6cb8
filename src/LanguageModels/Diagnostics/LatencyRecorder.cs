namespace OpenGradient.Engine.LanguageModels.Diagnostics;

/// <summary>Counts durations. Written by one thread; others may read at any time and then see some a little late.</summary>
internal sealed class LatencyRecorder
{
    private static readonly double[] Edges = [.. LatencyDistribution.Edges];

    private readonly long[] _counts = new long[Edges.Length + 1];
    private double _sum;
    private double _max;

    public void Add(TimeSpan duration)
    {
        var seconds = duration.TotalSeconds;
        var bucket = Array.BinarySearch(Edges, seconds);
        _counts[bucket < 0 ? ~bucket : bucket]++;
        Volatile.Write(ref _sum, _sum + seconds);
        if (seconds > _max) Volatile.Write(ref _max, seconds);
    }

    public LatencyDistribution Snapshot()
    {
        var counts = new long[_counts.Length];
        for (var i = 0; i < counts.Length; i++) counts[i] = Volatile.Read(ref _counts[i]);
        return new LatencyDistribution(counts, Volatile.Read(ref _sum), Volatile.Read(ref _max));
    }
}
