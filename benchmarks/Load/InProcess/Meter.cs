using System.Diagnostics;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>The process's counters at one moment.</summary>
internal readonly record struct Meter(long Ticks, TimeSpan Cpu, long Allocated, int Gen0, TimeSpan Paused, ModelStatistics Statistics)
{
    public static Meter Read(EngineUnderTest engine) => new(
        Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(precise: false), GC.CollectionCount(0), GC.GetTotalPauseDuration(), engine.Statistics);

    /// <summary>What happened from here to a later moment.</summary>
    public EngineWindow Until(in Meter end, Percentiles latency, long requests)
    {
        var batches = Math.Max(1, end.Statistics.Batches - Statistics.Batches);
        var first = Statistics;
        var last = end.Statistics;
        return new EngineWindow
        {
            Requests = requests,
            Seconds = Stopwatch.GetElapsedTime(Ticks, end.Ticks).TotalSeconds,
            CpuSeconds = (end.Cpu - Cpu).TotalSeconds,
            AllocatedBytes = end.Allocated - Allocated,
            Gen0 = end.Gen0 - Gen0,
            PausedSeconds = (end.Paused - Paused).TotalSeconds,
            Latency = latency,
            AverageBatch = (double)(last.Rows - first.Rows) / batches,
            QueuePerRequest = (last.Queue - first.Queue).TotalMicroseconds / Math.Max(1, last.Requests - first.Requests),
            GatherPerBatch = (last.Gather - first.Gather).TotalMicroseconds / batches,
            ExecutePerBatch = (last.Execute - first.Execute).TotalMicroseconds / batches,
            SealPerBatch = (last.Seal - first.Seal).TotalMicroseconds / batches,
            ScatterPerBatch = (last.Scatter - first.Scatter).TotalMicroseconds / batches,
        };
    }
}

/// <summary>One measured window of an engine. Times of stages are in microseconds.</summary>
internal sealed record EngineWindow
{
    public required long Requests { get; init; }
    public required double Seconds { get; init; }
    public required double CpuSeconds { get; init; }
    public required long AllocatedBytes { get; init; }
    public required int Gen0 { get; init; }
    public required double PausedSeconds { get; init; }
    public required Percentiles Latency { get; init; }
    public required double AverageBatch { get; init; }
    public required double QueuePerRequest { get; init; }
    public required double GatherPerBatch { get; init; }
    public required double ExecutePerBatch { get; init; }
    public required double SealPerBatch { get; init; }
    public required double ScatterPerBatch { get; init; }

    public double Rate => Requests / Seconds;

    public double CpuPerRequest => CpuSeconds / Math.Max(1, Requests);
}
