namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>One measured window of an engine. CPU time is the whole process's.</summary>
internal sealed record Window(long Requests, double Seconds, double CpuSeconds, long AllocatedBytes, Percentiles Latency, double AverageBatch, long Refused)
{
    public double Rate => Requests / Seconds;

    public double CpuPerRequest => CpuSeconds / Math.Max(1, Requests);

    /// <summary>Cores that the process got.</summary>
    public double Cores => CpuSeconds / Seconds;
}
