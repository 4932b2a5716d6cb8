using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// What padding batches costs in throughput: the rule that the engine chose when it loaded the model, and the forced multiple of
/// 4 as its upper bound, both against batches as they come.
/// </summary>
internal sealed class AlignmentPoint : IPoint<BenchContext>
{
    private const int Multiple = 4;

    public string Name => "alignment";

    public async Task RunAsync(BenchContext context)
    {
        var worst = new List<double>();
        var worstForced = new List<double>();
        (string Model, int Callers)[] cases = context.Options.Quick ? [("digits", 64)] : [("digits", 64), ("digits", 7), ("encoder", 64), ("resnet", 64)];
        foreach (var (model, callers) in cases)
        {
            var (found, forced) = await MeasureAsync(context, context.Workload(model), callers);
            if (callers != EngineOptions.Callers) continue;
            if (found is { } tax) worst.Add(tax);
            if (forced is { } bound) worstForced.Add(bound);
        }

        context.Figures.Set("alignment_tax", worst.Count == 0 ? null : worst.Max());
        context.Figures.Set("alignment_tax_multiple_of_4", worstForced.Count == 0 ? null : worstForced.Max());
        foreach (var line in Elsewhere) context.Figures.Text("alignment: published taxes of batch-invariant modes elsewhere", line);
    }

    private static readonly string[] Elsewhere =
    [
        "SGLang, deterministic mode: 34.35 % on average; Thinking Machines' kernels in the same comparison: 61.5 % (SGLang's blog)",
        "vLLM, batch-invariant mode, Qwen3-1.7B: throughput tax 35.0 -> 31.0 % on an H20, 29.9 -> 21.9 % on a 4090D (its issue 27433)",
        "Comparable: all are the throughput lost for the property that a row's bits do not depend on its neighbours.",
        "Not comparable: those are language models on GPUs, whose kernels were replaced by slower ones; here one CPU thread's kernels already",
        "  are invariant for most graphs and the rule adds rows of padding, so that its price is the padding and nothing at full batches.",
    ];

    private static async Task<(double? Found, double? Forced)> MeasureAsync(BenchContext context, Workload workload, int callers)
    {
        int best;
        using (var plain = context.Plain(workload)) best = await OwnThread.Run(() => context.BestStaticBatch(workload, plain));
        var options = Served.Options(context, workload, Math.Max(Multiple, best / Multiple * Multiple));
        // A class that is stated is not probed, so that no rule is found.
        await using var free = await Served.StartAsync(context, options with { Determinism = DeterminismClass.B }, receipts: false);
        await using var chosen = await Served.StartAsync(context, options, receipts: false);
        await using var multiple = await Served.StartAsync(context, options with { Determinism = DeterminismClass.B, PaddingMultiple = Multiple }, receipts: false);
        var rows = context.Rows(workload);
        var check = new AnswerCheck(context, workload, free, rows, receipts: false);
        var seconds = context.Options.Quick ? 0.3 : workload.IsSlow ? 2.5 : 0.8;
        (ClosedLoop Loop, List<Window> Windows)[] sides = [.. new[] { free, chosen, multiple }.Select(served => (new ClosedLoop(served, rows, callers), new List<Window>()))];

        // What the machine gives now sizes the windows.
        var rate = workload.RoughRate;
        foreach (var (loop, _) in sides) rate = Math.Min(rate, (await OwnThread.Run(() => loop.Run((long)(workload.RoughRate * (context.Options.Quick ? 0.1 : 0.4))))).Rate);
        var requests = Math.Max(2 * callers, (long)(rate * seconds));
        await Interleaved.RunAsync(context.Options.Rounds(workload.IsSlow ? 3 : 7, 1), [.. sides.Select(side => (Func<Task>)(async () =>
        {
            side.Windows.Add(await OwnThread.Run(() => side.Loop.Run(requests)));
            context.Figures.Count(check.Check(side.Loop.Logs));
        }))]);

        double? Tax(int side) => 1 - Interleaved.Ratio(sides[side].Windows.Select(w => w.Rate), sides[0].Windows.Select(w => w.Rate));
        double? PerCpu(int side) => 1 - Interleaved.Ratio(sides[0].Windows.Select(w => w.CpuPerRequest), sides[side].Windows.Select(w => w.CpuPerRequest));
        var what = $"{workload.Name}, {callers} callers";
        var rule = chosen.Model.Context;
        double? reach = callers == EngineOptions.Callers ? 0.03 : null;
        // Without padding both sides execute the same: what is measured between them is the noise, not a tax.
        var pads = rule is not { PaddingMultiple: 1, MinimumRows: 1 };
        var tax = pads ? Tax(1) : 0;
        context.Figures.Row("align", $"alignment tax, {what}, the rule found", tax, "", reach,
            note: FormattableString.Invariant($"class {rule.Determinism}, {(pads ? $"padding multiple {rule.PaddingMultiple}, minimum {rule.MinimumRows}" : $"no padding needed; the same against itself {Tax(1):0.000}")}; per CPU {PerCpu(1):0.000}; average batch {Median.Of(sides[1].Windows, w => w.AverageBatch):0.0}"));
        context.Figures.Row("align", $"  forced multiple of {Multiple}", Tax(2), "", reach, note: FormattableString.Invariant($"per CPU {PerCpu(2):0.000}"));
        return (tax, Tax(2));
    }
}
