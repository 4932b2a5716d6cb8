using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>Managed bytes per request over all threads, 64 callers on the leased-buffer API.</summary>
internal sealed class AllocationPoint : IPoint<BenchContext>
{
    public string Name => "allocation";

    public async Task RunAsync(BenchContext context)
    {
        var without = await MeasureAsync(context, receipts: false);
        var with = await MeasureAsync(context, receipts: true);
        context.Figures.Set("allocated_bytes_per_request", without, 1);
        context.Figures.Set("allocated_bytes_per_request_with_receipt", with, 1);
        // The readings at a window's ends and the runtime's own timers allocate some kilobytes: half a byte per request is theirs.
        context.Figures.Row("6", "managed bytes allocated per request, digits, 64 callers", without, "bytes", 0.5);
        context.Figures.Row("6", "  the same with receipts", with, "bytes", note: "statement, leaves and tree of a batch, shared by its callers");
    }

    private static async Task<double?> MeasureAsync(BenchContext context, bool receipts)
    {
        var workload = context.Workload("digits");
        await using var served = await Served.StartAsync(context, Served.Options(context, workload, 64), receipts);
        var rows = context.Rows(workload);
        var loop = new ClosedLoop(served, rows, EngineOptions.Callers);
        var check = new AnswerCheck(context, workload, served, rows, receipts);
        var time = TimeSpan.FromSeconds(context.Options.Quick ? 0.3 : 1);
        var bytes = new List<double>();
        for (var i = -1; i < context.Options.Rounds(3, 1); i++)
        {
            var window = await OwnThread.Run(() => loop.Run(time, workload.RoughRate));
            context.Figures.Count(check.Check(loop.Logs));
            if (i >= 0) bytes.Add((double)window.AllocatedBytes / window.Requests);
        }

        return Median.Of(bytes);
    }
}
