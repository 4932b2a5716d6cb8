using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>64 callers against plain C at its best static batch, receipts on and off; for the MLP also against one call per request.</summary>
internal sealed class ServingPoint : IPoint<BenchContext>
{
    public string Name => "serving";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var (model, reach, tax) in new[] { ("digits", 0.90, 0.10), ("encoder", 0.97, 0.01), ("resnet", 0.97, 0.01) })
            await RunAsync(context, context.Workload(model), reach, tax);
    }

    private static async Task RunAsync(BenchContext context, Workload workload, double reach, double taxReach)
    {
        using var plain = context.Plain(workload);
        var best = await OwnThread.Run(() => context.BestStaticBatch(workload, plain));
        await using var measured = await Sides.StartAsync(context, workload, plain, best);
        await measured.RunAsync(context.Options.Rounds(workload.IsSlow ? 6 : 14, workload.IsSlow ? 1 : 2));
        Report(context, workload, measured, best, reach, taxReach);
        if (measured.HasUnbatched) ReportUnbatched(context, measured);
    }

    private static void Report(BenchContext context, Workload workload, Sides sides, int best, double reach, double taxReach)
    {
        var (figures, model) = (context.Figures, workload.Name);
        var with = Interleaved.Ratio(sides.With.Select(w => w.Rate), sides.Static.Select(w => w.Rate));
        var without = Interleaved.Ratio(sides.Without.Select(w => w.Rate), sides.Static.Select(w => w.Rate));
        var tax = 1 - Interleaved.Ratio(sides.With.Select(w => w.Rate), sides.Without.Select(w => w.Rate));
        var perCpu = Interleaved.Ratio(sides.Static.Select(w => w.CpuPerRequest), sides.With.Select(w => w.CpuPerRequest));
        var perCpuWithout = Interleaved.Ratio(sides.Static.Select(w => w.CpuPerRequest), sides.Without.Select(w => w.CpuPerRequest));
        figures.Set("vs_static_ratio", model, with);
        figures.Set("vs_static_ratio_without_receipts", model, without);
        figures.Set("vs_static_ratio_per_cpu", model, perCpu);
        figures.Set("vs_static_ratio_per_cpu_without_receipts", model, perCpuWithout);
        figures.Set("receipt_tax", model, tax);
        figures.Set("receipt_tax_per_cpu", model, 1 - (perCpu / perCpuWithout));
        figures.Set("static_batch", model, best);
        figures.Row("2", $"64 callers against plain C at batch {best}, {model}", without, "", reach, atLeast: true,
            FormattableString.Invariant($"per CPU {perCpuWithout:0.000}; {Median.Of(sides.Without, w => w.Rate):#,0} of {Median.Of(sides.Static, w => w.Rate):#,0} rows/s; average batch {Median.Of(sides.Without, w => w.AverageBatch):0.0}"));
        figures.Row("2", "  the same with receipts", with, "", reach, atLeast: true,
            FormattableString.Invariant($"per CPU {perCpu:0.000}; {Median.Of(sides.With, w => w.Rate):#,0} rows/s; p50 {Median.Of(sides.With, w => w.Latency.P50):#,0}, p99 {Median.Of(sides.With, w => w.Latency.P99):#,0} us"));
        figures.Row("5", $"receipts' tax on throughput, {model}", tax, "", taxReach, note: FormattableString.Invariant($"per CPU {1 - (perCpu / perCpuWithout):0.000}"));
        figures.Text("serving", FormattableString.Invariant(
            $"{model}: CPU us per row: plain {Median.Of(sides.Static, w => w.CpuPerRequest) * 1e6:0.0}, engine {Median.Of(sides.Without, w => w.CpuPerRequest) * 1e6:0.0}, with receipts {Median.Of(sides.With, w => w.CpuPerRequest) * 1e6:0.0}; cores used: plain {Median.Of(sides.Static, w => w.CpuSeconds / w.Seconds):0.00}, engine {Median.Of(sides.Without, w => w.Cores):0.00}"));
    }

    private static void ReportUnbatched(BenchContext context, Sides sides)
    {
        var figures = context.Figures;
        var with = Interleaved.Ratio(sides.With.Select(w => w.Rate), sides.PlainUnbatched.Select(w => w.Rate));
        var without = Interleaved.Ratio(sides.Without.Select(w => w.Rate), sides.PlainUnbatched.Select(w => w.Rate));
        var own = Interleaved.Ratio(sides.Without.Select(w => w.Rate), sides.EngineUnbatched.Select(w => w.Rate));
        var ceiling = Interleaved.Ratio(sides.Static.Select(w => w.Rate), sides.PlainUnbatched.Select(w => w.Rate));
        figures.Set("vs_unbatched_ratio", with);
        figures.Set("vs_unbatched_ratio_without_receipts", without);
        figures.Set("vs_engine_unbatched_ratio", own);
        figures.Set("vs_unbatched_ceiling", ceiling);
        figures.Row("3", "digits against one plain C call per request, 64 threads", without, "times", 6, atLeast: true,
            FormattableString.Invariant($"ceiling {ceiling:0.00}: plain C at the best batch over the same baseline ({Median.Of(sides.PlainUnbatched, w => w.Rate):#,0}/s)"));
        figures.Row("3", "  the same with receipts", with, "times", 6, atLeast: true);
        figures.Row("3", "  against this engine with batching off", own, "times", 6, atLeast: true, FormattableString.Invariant($"{Median.Of(sides.EngineUnbatched, w => w.Rate):#,0}/s"));
    }
}
