using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Plain;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>64 callers against a plain loop in Python at its best static batch, receipts on and off; what receipts take.</summary>
internal sealed class ServingPoint : IPoint<BenchContext>
{
    // Compiling hot methods again takes a share of the processor time until about the sixth second of load.
    private const double WarmUpSeconds = 3;
    private const double Reach = 0.95;

    public string Name => "serving";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var workload in context.Workloads)
        {
            using var plain = await OwnThread.Run(() => context.Python(workload));
            var best = await OwnThread.Run(() => context.BestStaticBatch(workload, plain));
            var options = Sides.Options(context, workload, best);
            await using var without = await Side.StartAsync(context, workload, options, receipts: false);
            await using var with = await Side.StartAsync(context, workload, options, receipts: true);
            await RunAsync(context, workload, plain, best, without, with);
        }
    }

    private static async Task RunAsync(BenchContext context, Workload workload, LoopProcess plain, int best, Side without, Side with)
    {
        var quick = context.Options.Quick;
        var requests = await OwnThread.Run(() => Requests(context, workload, plain, best));
        foreach (var side in new[] { without, with })
            await OwnThread.Run(() => side.Loop.Run(workload.IsSlow ? requests : (long)(requests * (quick ? 1 : WarmUpSeconds))));
        var loops = new List<PlainWindow>();
        await Interleaved.RunAsync(
            context.Options.Rounds(workload.IsSlow ? 5 : 14, workload.IsSlow ? 1 : 3),
            [async () => loops.Add(await OwnThread.Run(() => plain.Fixed(best, Math.Max(1, requests / best)))), () => without.MeasureAsync(requests), () => with.MeasureAsync(requests)]);
        Report(context, workload, best, loops, without, with);
    }

    /// <summary>The window's work, the same for all sides: about a second, and each caller at least twice.</summary>
    private static long Requests(BenchContext context, Workload workload, LoopProcess plain, int best)
    {
        var quick = context.Options.Quick;
        var rate = plain.Fixed(best, Math.Max(2, (long)(workload.RoughRate * 0.2 / best))).Rate;
        var whole = (long)best * context.Threads;
        var wanted = Math.Max((quick ? 1 : 2) * TorchOptions.Callers, rate * (quick ? 0.3 : workload.IsSlow ? 2 : 1));
        return (long)Math.Ceiling(wanted / whole) * whole;
    }

    private static void Report(BenchContext context, Workload workload, int best, List<PlainWindow> loops, Side without, Side with)
    {
        var (figures, model) = (context.Figures, workload.Name);
        var ratio = Interleaved.Ratio(with.Windows.Select(w => w.Rate), loops.Select(w => w.Rate));
        var bare = Interleaved.Ratio(without.Windows.Select(w => w.Rate), loops.Select(w => w.Rate));
        var tax = 1 - Interleaved.Ratio(with.Windows.Select(w => w.Rate), without.Windows.Select(w => w.Rate));
        figures.Set("vs_static_ratio", model, ratio);
        figures.Set("vs_static_ratio_without_receipts", model, bare);
        figures.Set("vs_static_ratio_per_cpu", model, Interleaved.Ratio(loops.Select(w => w.CpuPerRequest), with.Windows.Select(w => w.CpuPerRequest)));
        figures.Set("receipt_tax", model, tax);
        figures.Set("static_batch", model, best);
        figures.Set("requests_per_second", model, Median.Of(with.Windows, w => w.Rate));
        figures.Set("latency_p50_us", model, Median.Of(with.Windows, w => w.Latency.P50));
        figures.Set("latency_p99_us", model, Median.Of(with.Windows, w => w.Latency.P99));
        figures.Row($"64 callers with receipts against Python at batch {best}, {model}", ratio, "", Reach, atLeast: true, FormattableString.Invariant(
            $"{Median.Of(with.Windows, w => w.Rate):#,0} of {Median.Of(loops, w => w.Rate):#,0} rows/s; average batch {Median.Of(with.Windows, w => w.AverageBatch):0.0}; p50 {Median.Of(with.Windows, w => w.Latency.P50):#,0}, p99 {Median.Of(with.Windows, w => w.Latency.P99):#,0} us"));
        figures.Row("  the same without receipts", bare, "", note: FormattableString.Invariant($"{Median.Of(without.Windows, w => w.Rate):#,0} rows/s; average batch {Median.Of(without.Windows, w => w.AverageBatch):0.0}"));
        figures.Row($"receipts' tax on throughput, {model}", tax, "");
    }
}
