using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>What batching gains: requests per second of 1 to 512 callers with receipts, over those of one.</summary>
internal sealed class GainPoint : IPoint<BenchContext>
{
    private static readonly int[] Growth = [1, 4, 16, 64, 256, 512];

    public string Name => "gain";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var workload in context.Workloads)
        {
            int[] numbers = !context.Options.Quick ? Growth : workload.IsSlow ? [1, 16] : [1, 64, 512];
            double? alone = null;
            var rates = new List<string>();
            foreach (var callers in numbers)
            {
                var window = await RunAsync(context, workload, callers);
                alone ??= window.Rate;
                context.Figures.Set($"callers_{workload.Name}", $"{callers}", window.Rate);
                rates.Add(FormattableString.Invariant($"{callers}: {window.Rate:#,0}/s in batches of {window.AverageBatch:0.0}, p50 {window.Latency.P50:#,0} us, p99 {window.Latency.P99:#,0} us"));
                if (callers == numbers[^1]) context.Figures.Set("batching_gain", workload.Name, window.Rate / alone);
            }

            foreach (var rate in rates) context.Figures.Text($"callers, {workload.Name}, with receipts", rate);
        }
    }

    private static async Task<Window> RunAsync(BenchContext context, Workload workload, int callers)
    {
        await using var side = await Side.StartAsync(context, workload, Sides.Options(context, workload, GpuBatch(context, workload)), receipts: true, callers);
        // Sized by what these callers get, so that one caller's window is as long as that of many.
        var seconds = context.Options.Quick ? 0.4 : workload.IsSlow ? 4 : 1.5;
        var few = Math.Max(4L * callers, workload.IsSlow ? 4 : 400);
        var rough = await OwnThread.Run(() => side.Loop.Run(few));
        for (var i = 0; i < context.Options.Rounds(3, 1); i++) await side.MeasureAsync(Math.Max(2L * callers, (long)(rough.Rate * seconds)));
        return side.Windows.OrderBy(window => window.Rate).ElementAt(side.Windows.Count / 2);
    }

    /// <summary>Beyond 64 callers a GPU gains from larger batches; a core does not.</summary>
    private static int GpuBatch(BenchContext context, Workload workload) => context.Options.Cuda is null ? workload.LargestSearched : 4 * workload.LargestSearched;
}
