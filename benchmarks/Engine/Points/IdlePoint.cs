using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>One caller and nobody else, one row of the MLP: what the engine adds to the plain call at the median.</summary>
internal sealed class IdlePoint : IPoint<BenchContext>
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(1);

    public string Name => "idle";

    public async Task RunAsync(BenchContext context)
    {
        var workload = context.Workload("digits");
        using var plain = context.Plain(workload, threads: 1);
        await using var without = await Served.StartAsync(context, Served.Options(context, workload, 64), receipts: false);
        await using var with = await Served.StartAsync(context, Served.Options(context, workload, 64), receipts: true);
        var rows = context.Rows(workload);
        var check = (Without: new AnswerCheck(context, workload, without, rows, receipts: false), With: new AnswerCheck(context, workload, with, rows, receipts: true));

        foreach (var (gap, calls, suffix, what) in new[] { (TimeSpan.Zero, context.Options.Quick ? 400 : 1500, "", "back to back"), (Gap, context.Options.Quick ? 30 : 100, "_spaced", "1 ms apart") })
        {
            var loops = (Without: new ClosedLoop(without, rows, 1) { Gap = gap }, With: new ClosedLoop(with, rows, 1) { Gap = gap });
            List<double> alone = [], off = [], on = [];
            async Task Engine(ClosedLoop loop, AnswerCheck answers, List<double> medians)
            {
                medians.Add((await OwnThread.Run(() => loop.Run(calls))).Latency.P50);
                context.Figures.Count(answers.Check(loop.Logs));
            }

            for (var i = 0; i < (gap > TimeSpan.Zero ? 1 : context.Options.Quick ? 5 : 20); i++)
            {
                await Engine(loops.Without, check.Without, []);
                await Engine(loops.With, check.With, []);
            }

            await Interleaved.RunAsync(context.Options.Rounds(14, 4),
            [
                async () => alone.Add((await OwnThread.Run(() => plain.Loop(1, calls, gap))).P50),
                () => Engine(loops.Without, check.Without, off),
                () => Engine(loops.With, check.With, on),
            ]);
            var (added, addedWithReceipt) = (Interleaved.Difference(off, alone), Interleaved.Difference(on, alone));
            context.Figures.Set($"idle_added_us{suffix}", added, 1);
            context.Figures.Set($"idle_added_with_receipt_us{suffix}", addedWithReceipt, 1);
            var note = FormattableString.Invariant($"medians: plain {Median.Of(alone):0.0}, engine {Median.Of(off):0.0}, with receipt {Median.Of(on):0.0} us");
            context.Figures.Row("4", $"one idle caller, {what}: added", added, "us", gap > TimeSpan.Zero ? null : 20, note: note);
            context.Figures.Row("4", $"one idle caller, {what}: added with receipt", addedWithReceipt, "us", gap > TimeSpan.Zero ? null : 80);
        }
    }
}
