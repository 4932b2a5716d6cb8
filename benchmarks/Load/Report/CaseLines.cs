using OpenGradient.Engine.Load.InProcess;

namespace OpenGradient.Engine.Load.Report;

/// <summary>The fields that cases share, medians over their windows.</summary>
internal static class CaseLines
{
    public static JsonLine Engine(this JsonLine line, IReadOnlyList<EngineWindow> windows) => line
        .Add("requests_per_second", Median.Of(windows, w => w.Rate), 0)
        .Add("p50_us", Median.Of(windows, w => w.Latency.P50), 1)
        .Add("p99_us", Median.Of(windows, w => w.Latency.P99), 1)
        .Add("average_batch", Median.Of(windows, w => w.AverageBatch), 1)
        .Add("cpu_seconds_per_request", Median.Of(windows, w => w.CpuPerRequest), 9)
        .Add("cores_used", Median.Of(windows, w => w.CpuSeconds / w.Seconds), 2)
        .Add("allocated_bytes_per_request", Median.Of(windows, w => (double)w.AllocatedBytes / Math.Max(1, w.Requests)), 1)
        .Add("gen0_collections", windows.Sum(w => (long)w.Gen0))
        .Add("gc_pause_share", windows.Sum(w => w.PausedSeconds) / windows.Sum(w => w.Seconds), 4)
        .Begin("stages_us")
        .Add("queue_per_request", Median.Of(windows, w => w.QueuePerRequest), 1)
        .Add("gather_per_batch", Median.Of(windows, w => w.GatherPerBatch), 1)
        .Add("execute_per_batch", Median.Of(windows, w => w.ExecutePerBatch), 1)
        .Add("seal_per_batch", Median.Of(windows, w => w.SealPerBatch), 1)
        .Add("scatter_per_batch", Median.Of(windows, w => w.ScatterPerBatch), 1)
        .End();

    public static JsonLine Plain(this JsonLine line, IReadOnlyList<PlainWindow> windows) => line
        .Add("requests_per_second", Median.Of(windows, w => w.Rate), 0)
        .Add("p50_us", Median.Of(windows, w => w.P50), 1)
        .Add("p99_us", Median.Of(windows, w => w.P99), 1)
        .Add("average_batch", windows[0].Batch)
        .Add("cpu_seconds_per_request", Median.Of(windows, w => w.CpuPerRequest), 9)
        .Add("cores_used", Median.Of(windows, w => w.CpuSeconds / w.Seconds), 2);

    public static JsonLine Receipts(this JsonLine line, ReceiptCount count) => line
        .Add("receipts_verified", count.Verified)
        .Add("receipts_failed", count.Failed);

    /// <summary>A baseline measured in the same run: its name, its rate, and the median of the rounds' ratios to it.</summary>
    public static JsonLine Baseline(this JsonLine line, string name, double? rate, double? ratio) => line
        .Begin("baseline")
        .Add("case", name)
        .Add("requests_per_second", rate, 0)
        .Add("ratio", ratio)
        .End();
}
