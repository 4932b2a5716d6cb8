using System.Diagnostics;
using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Plain;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// The engine's backend call against the same call in C++: one thread each, the same libtorch, values made beforehand, blocks
/// that alternate. By CPU time on the CPU, where others' work then stays out of it; by the clock on a GPU.
/// </summary>
internal sealed class CallPoint : IPoint<BenchContext>
{
    private const double Reach = 1.02;

    public string Name => "calls";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var workload in context.Workloads)
        {
            int[] batches = workload.IsSlow ? [1, 4] : [1, 8, 64];
            if (context.Options.Quick) batches = batches[^1..];
            var results = batches.ToDictionary(batch => batch, _ => new List<Pair>());
            var passes = context.Options.Rounds(workload.IsSlow ? 3 : 8, 1);
            var measured = true;
            for (var pass = 0; pass < passes && measured; pass++) measured = await OwnThread.Run(() => Pass(context, workload, results));
            if (measured) Report(context, workload, results);
            else context.Figures.Text("calls", $"{workload.Name}: not measured: {context.Options.Loop} was not built");
        }
    }

    private static bool Pass(BenchContext context, Workload workload, Dictionary<int, List<Pair>> results)
    {
        using var plain = context.Native(workload, threads: 1);
        if (plain is null) return false;
        using var direct = context.Direct(workload);
        var rows = context.Rows(workload);
        foreach (var (batch, pairs) in results)
        {
            direct.Prepare(batch);
            for (var slot = 0; slot < batch; slot++) direct.Put(slot, rows.Rows[slot % rows.Count]);
            var few = workload.IsSlow ? 2 : 200;
            var once = Math.Max(plain.Loop(batch, few).CpuSeconds / few, 1e-6);
            var calls = (long)Math.Clamp(0.06 / once, 1, 20_000);
            // The managed side is compiled in its final form before it counts.
            if (!workload.IsSlow)
                for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(0.7);) Block(direct, few);
            for (var i = 0; i < (context.Options.Quick ? 6 : 8); i++)
            {
                if (i % 2 == 0) pairs.Add(new Pair(Plain(plain, batch, calls), Block(direct, calls)));
                else
                {
                    var engine = Block(direct, calls);
                    pairs.Add(new Pair(Plain(plain, batch, calls), engine));
                }
            }
        }

        return true;
    }

    private static Cost Plain(LoopProcess plain, int batch, long calls)
    {
        var window = plain.Loop(batch, calls);
        return new Cost(window.Seconds / calls, window.CpuSeconds / calls);
    }

    private static Cost Block(DirectRows direct, long calls)
    {
        var (start, cpu) = (Stopwatch.GetTimestamp(), ThreadCpu.Seconds());
        for (long i = 0; i < calls; i++) direct.Execute();
        return new Cost(Stopwatch.GetElapsedTime(start).TotalSeconds / calls, (ThreadCpu.Seconds() - cpu) / calls);
    }

    private static void Report(BenchContext context, Workload workload, Dictionary<int, List<Pair>> results)
    {
        var (figures, onGpu) = (context.Figures, context.Options.Cuda is not null);
        foreach (var (batch, pairs) in results)
        {
            var wall = Median.Of(pairs, pair => pair.Engine.Wall / pair.Plain.Wall);
            var cpu = Median.Of(pairs, pair => pair.Engine.Cpu / pair.Plain.Cpu);
            var ratio = onGpu ? wall : cpu;
            figures.Set("overhead_ratio_by_batch", $"{workload.Name}_{batch}", ratio);
            figures.Row($"call against C++, {workload.Name}, batch {batch}", ratio, onGpu ? "by the clock" : "of CPU time", Reach, atLeast: false, FormattableString.Invariant(
                $"by the clock {wall:0.000}; C++ {Median.Of(pairs, pair => pair.Plain.Cpu * 1e6):0.0} us CPU, added {Median.Of(pairs, pair => (pair.Engine.Cpu - pair.Plain.Cpu) * 1e6):0.0}"));
        }

        var ratios = results.Values.SelectMany(pairs => pairs).Select(pair => onGpu ? pair.Engine.Wall / pair.Plain.Wall : pair.Engine.Cpu / pair.Plain.Cpu);
        figures.Set("overhead_ratio", workload.Name, Median.Of(ratios));
    }

    /// <summary>Seconds per call.</summary>
    private readonly record struct Cost(double Wall, double Cpu);

    private readonly record struct Pair(Cost Plain, Cost Engine);
}
