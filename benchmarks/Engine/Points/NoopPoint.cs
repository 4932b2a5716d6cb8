using OpenGradient.Engine.Benchmarks.Measuring;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>A model that does nothing, through the whole engine: what the engine itself can carry.</summary>
internal sealed class NoopPoint : IPoint<BenchContext>
{
    // So many that a batch is always full; the engine's default largest batch of 64 stays.
    private const int Callers = 256;

    public string Name => "noop";

    public async Task RunAsync(BenchContext context)
    {
        var workload = context.Workload("noop");
        await using var without = await Served.StartAsync(context, Served.Options(context, workload, 64), receipts: false);
        await using var with = await Served.StartAsync(context, Served.Options(context, workload, 64), receipts: true);
        var epoch = context.Keys.Epoch;
        var receipts = new ReceiptChecker(new StatementChecker(context.Keys.Signatures, statement => statement.Epoch == epoch.Epoch.Id ? epoch.PublicKey : default), with.Model);
        var time = TimeSpan.FromSeconds(context.Options.Quick ? 0.4 : 1);
        var (off, on) = (new EchoLoop(without, Callers), new EchoLoop(with, Callers));
        List<(double Rate, double Cpu)> offs = [], ons = [];

        await OwnThread.Run(() => off.Run(TimeSpan.FromSeconds(context.Options.Quick ? 0.5 : 2), 0));
        await OwnThread.Run(() => on.Run(TimeSpan.FromSeconds(context.Options.Quick ? 0.3 : 1), 8192));
        await Interleaved.RunAsync(context.Options.Rounds(6, 1),
        [
            async () =>
            {
                offs.Add(await OwnThread.Run(() => off.Run(time, 0)));
                context.Figures.Count(new ReceiptCount((long)(offs[^1].Rate * time.TotalSeconds), off.Wrong));
            },
            async () =>
            {
                ons.Add(await OwnThread.Run(() => on.Run(time, 8192)));
                context.Figures.Count(on.Check(receipts) + new ReceiptCount(0, on.Wrong));
            },
        ]);

        var (rate, rateWith) = (Median.Of(offs, w => w.Rate), Median.Of(ons, w => w.Rate));
        var (cpu, cpuWith) = (Median.Of(offs, w => w.Cpu * 1e6), Median.Of(ons, w => w.Cpu * 1e6));
        context.Figures.Set("noop_requests_per_second", rate, 0);
        context.Figures.Set("noop_requests_per_second_with_receipts", rateWith, 0);
        context.Figures.Set("noop_cpu_us_per_request", cpu);
        context.Figures.Set("noop_cpu_us_per_request_with_receipts", cpuWith);
        context.Figures.Row("7", $"no-op model, {Callers} callers", rate, "/s", 1_000_000, atLeast: true, FormattableString.Invariant($"{cpu:0.00} us of CPU per request, the callers' own work in it"));
        context.Figures.Row("7", "  the same with receipts", rateWith, "/s", 300_000, atLeast: true, FormattableString.Invariant($"{cpuWith:0.00} us of CPU per request"));
    }
}
