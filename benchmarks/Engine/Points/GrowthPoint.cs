using System.Globalization;
using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>Callers from 1 to 10,000, models from 1 to 64: requests per second, CPU time and latency as they grow.</summary>
internal sealed class GrowthPoint : IPoint<BenchContext>
{
    private const int ModelCallers = 256;
    private const int BarWidth = 40;

    private static readonly int[] Callers = [1, 4, 16, 64, 256, 1024, 4096, 10_000];
    private static readonly int[] ModelCounts = [1, 2, 4, 8, 16, 32, 64];

    public string Name => "growth";

    public async Task RunAsync(BenchContext context)
    {
        foreach (var (model, receipts) in new[] { ("digits", true), ("noop", false) })
        {
            if (context.Options.Quick && model != "noop") continue;
            var suffix = receipts ? "with receipts" : "without receipts";
            var steps = await ByCallersAsync(context, context.Workload(model), receipts, context.Options.Quick ? [1, 64, 10_000] : Callers);
            Report(context, $"growth of callers, {model}, {suffix}", "callers", steps);
            var worst = Worst(steps.Where(step => step.Size >= EngineOptions.Callers).ToList());
            context.Figures.Set($"growth_{model}_most_callers_vs_best", worst);
            context.Figures.Row("grow", $"{model}: slowest rate from 64 to 10,000 callers, of the best", worst, "", note: suffix);
        }

        foreach (var model in new[] { "digits", "noop" })
        {
            if (context.Options.Quick && model != "noop") continue;
            var steps = await ByModelsAsync(context, context.Workload(model), context.Options.Quick ? [1, 64] : ModelCounts);
            Report(context, $"growth of models, {ModelCallers} callers over copies of {model}, without receipts", "models", steps);
            context.Figures.Set($"growth_{model}_64_models_vs_1", steps[^1].Rate / steps[0].Rate);
            context.Figures.Row("grow", $"{model}: rate with 64 models, of the rate with one", steps[^1].Rate / steps[0].Rate, "");
        }
    }

    private static async Task<List<Step>> ByCallersAsync(BenchContext context, Workload workload, bool receipts, int[] sizes)
    {
        // As many may wait as ask: a refusal would be an answer here.
        await using var served = await Served.StartAsync(context, Served.Options(context, workload, 64) with { MaxQueuedRequests = 16_384 }, receipts);
        var rows = context.Rows(workload);
        var check = new AnswerCheck(context, workload, served, rows, receipts);
        var windows = sizes.ToDictionary(size => size, _ => new List<Window>());
        await OwnThread.Run(() => new ClosedLoop(served, rows, EngineOptions.Callers).Run(TimeSpan.FromSeconds(context.Options.Quick ? 0.3 : 2), workload.RoughRate));
        await Interleaved.RunAsync(context.Options.Rounds(3, 1), [.. sizes.Select(size => (Func<Task>)(() => MeasureAsync(context, served, rows, check, size, windows[size], workload)))]);
        return [.. windows.Select(pair => Step.Of(pair.Key, pair.Value))];
    }

    private static async Task<List<Step>> ByModelsAsync(BenchContext context, Workload workload, int[] sizes)
    {
        var steps = new List<Step>();
        foreach (var size in sizes)
        {
            // The class is stated: probing 64 copies of one model would take minutes and find the same.
            var options = Enumerable.Range(0, size).Select(i => Served.Options(context, workload, 64) with { Name = $"{workload.Name}{i}", Determinism = DeterminismClass.B });
            await using var served = await Served.StartAsync(context, [.. options], receipts: false);
            var rows = context.Rows(workload);
            var check = new AnswerCheck(context, workload, served, rows, receipts: false);
            var windows = new List<Window>();
            for (var i = -1; i < context.Options.Rounds(3, 1); i++) await MeasureAsync(context, served, rows, check, ModelCallers, i < 0 ? [] : windows, workload);
            steps.Add(Step.Of(size, windows));
        }

        return steps;
    }

    private static async Task MeasureAsync(BenchContext context, Served served, RowSet rows, AnswerCheck check, int callers, List<Window> windows, Workload workload)
    {
        var loop = new ClosedLoop(served, rows, callers);
        var time = TimeSpan.FromSeconds(context.Options.Quick ? 0.15 : 0.6);
        windows.Add(await OwnThread.Run(() => loop.Run(time, workload.RoughRate)));
        context.Figures.Count(check.Check(loop.Logs) + new ReceiptCount(0, windows[^1].Refused));
    }

    private static void Report(BenchContext context, string section, string size, List<Step> steps)
    {
        var most = steps.Max(step => step.Rate);
        List<string[]> rows = [[size, "requests/s", "", "CPU us/request", "p50 us", "p99 us", "average batch"]];
        foreach (var step in steps)
            rows.Add([
                step.Size.ToString("#,0", CultureInfo.InvariantCulture), step.Rate.ToString("#,0", CultureInfo.InvariantCulture), new string('#', Math.Max(1, (int)Math.Round(step.Rate / most * BarWidth))),
                step.Cpu.ToString("0.0", CultureInfo.InvariantCulture), step.P50.ToString("#,0", CultureInfo.InvariantCulture), step.P99.ToString("#,0", CultureInfo.InvariantCulture),
                step.Batch.ToString("0.0", CultureInfo.InvariantCulture)]);
        foreach (var line in TextTable.Lines(rows)) context.Figures.Text(section, line);
        BenchContext.Note($"{section}: {string.Join(", ", steps.Select(step => FormattableString.Invariant($"{step.Size}: {step.Rate:0}/s")))}");
    }

    private static double? Worst(List<Step> steps) => steps.Count == 0 ? null : steps.Min(step => step.Rate) / steps.Max(step => step.Rate);

    private sealed record Step(int Size, double Rate, double Cpu, double P50, double P99, double Batch)
    {
        public static Step Of(int size, List<Window> windows) => new(
            size, Median.Of(windows, w => w.Rate)!.Value, Median.Of(windows, w => w.CpuPerRequest * 1e6)!.Value,
            Median.Of(windows, w => w.Latency.P50)!.Value, Median.Of(windows, w => w.Latency.P99)!.Value, Median.Of(windows, w => w.AverageBatch)!.Value);
    }
}
