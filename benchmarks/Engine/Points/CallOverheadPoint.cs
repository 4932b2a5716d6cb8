using System.Diagnostics;
using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// The engine's backend call against plain C: one thread each, the same library, values made beforehand, blocks that alternate.
/// Both open the model several times, since where buffers happen to lie moves a process's figure by a percent or two, and what
/// other tenants of the hardware do moves it by far more for seconds.
/// </summary>
internal sealed class CallOverheadPoint : IPoint<BenchContext>
{
    private const double Reach = 1.02;

    private static readonly (string Model, int[] Batches)[] Cases = [("digits", [1, 8, 64]), ("encoder", [1, 4]), ("resnet", [1, 8]), ("noop", [1, 64])];

    public string Name => "calls";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var (model, batches) in Cases)
        {
            var workload = context.Workload(model);
            var results = (context.Options.Quick ? batches[..1] : batches).ToDictionary(batch => batch, _ => new List<Pair>());
            for (var pass = 0; pass < context.Options.Rounds(workload.IsSlow ? 3 : 10, 1); pass++) await OwnThread.Run(() => Pass(context, workload, results, pass));
            Report(context, model, results);
        }
    }

    private static bool Pass(BenchContext context, Workload workload, Dictionary<int, List<Pair>> results, int pass)
    {
        using var plain = context.Plain(workload, threads: 1);
        using var direct = new DirectRows(context.Backend, workload.Name, workload.Path);
        var rows = context.Rows(workload);
        foreach (var (batch, pairs) in results)
        {
            direct.Prepare(batch);
            for (var slot = 0; slot < batch; slot++) direct.Put(slot, rows.Rows[slot]);
            var once = Math.Max(plain.Loop(batch, workload.IsSlow ? 1 : 200).Seconds / (workload.IsSlow ? 1 : 200), 1e-7);
            var calls = (long)Math.Clamp(0.06 / once, 1, 20_000);
            // The managed side is compiled in its final form before it counts.
            if (pass == 0 && !workload.IsSlow)
                for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(0.7);) Block(direct, 1000);
            for (var i = 0; i < (workload.IsSlow ? 5 : 8); i++)
            {
                if (i % 2 == 0) pairs.Add(new Pair(Plain(), Block(direct, calls)));
                else
                {
                    var engine = Block(direct, calls);
                    pairs.Add(new Pair(Plain(), engine));
                }
            }

            (double, double) Plain()
            {
                var window = plain.Loop(batch, calls);
                return (window.Seconds / calls, window.CpuSeconds / calls);
            }
        }

        return true;
    }

    private static (double Wall, double Cpu) Block(DirectRows direct, long calls)
    {
        var (start, cpu) = (Stopwatch.GetTimestamp(), ThreadCpu.Seconds());
        for (long i = 0; i < calls; i++) direct.Execute();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds / calls, (ThreadCpu.Seconds() - cpu) / calls);
    }

    private static void Report(BenchContext context, string model, Dictionary<int, List<Pair>> results)
    {
        var figures = context.Figures;
        foreach (var (batch, pairs) in results)
        {
            var cpu = Median.Of(pairs, pair => pair.Engine.Cpu / pair.Plain.Cpu);
            var wall = Median.Of(pairs, pair => pair.Engine.Wall / pair.Plain.Wall);
            var added = Median.Of(pairs, pair => (pair.Engine.Cpu - pair.Plain.Cpu) * 1e9);
            var plain = Median.Of(pairs, pair => pair.Plain.Cpu * 1e6);
            figures.Set("call_overhead_by_batch", $"{model}_{batch}", cpu);
            figures.Row("1", $"call against plain C, {model}, batch {batch}", cpu, "of CPU time", model == "noop" ? null : Reach,
                note: FormattableString.Invariant($"wall {wall:0.000}, {added:+0;-0} ns on {plain:0.0} us, {pairs.Count} pairs"));
        }

        // All batch sizes together, each pair with one vote: a single size's median is within the noise of where buffers lie.
        if (model != "noop") figures.Set("call_overhead_ratio", model, Median.Of(results.Values.Select(pairs => Median.Of(pairs, pair => pair.Engine.Cpu / pair.Plain.Cpu)!.Value)));
        else figures.Set("call_added_ns", Median.Of(results.First().Value, pair => (pair.Engine.Cpu - pair.Plain.Cpu) * 1e9), 0);
    }

    /// <summary>Seconds per call.</summary>
    private readonly record struct Pair((double Wall, double Cpu) Plain, (double Wall, double Cpu) Engine);
}
