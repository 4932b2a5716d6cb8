using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// Whether copies hide behind computing: the engine's rate from caller memory to caller memory over that of a loop whose inputs
/// and outputs stay on the device. 1 is all hidden. On a GPU alone.
/// </summary>
internal sealed class OverlapPoint : IPoint<BenchContext>
{
    private const double Reach = 0.95;
    private static readonly int[] Batches = [64, 256];

    public string Name => "overlap";

    public async Task RunAsync(BenchContext context)
    {
        if (context.Options.Cuda is null)
        {
            context.Figures.Text("overlap", "not measured: nothing is copied on the CPU");
            return;
        }

        foreach (var workload in context.Workloads)
            foreach (var batch in context.Options.Quick ? Batches[..1] : Batches) await RunAsync(context, workload, batch);
    }

    private static async Task RunAsync(BenchContext context, Workload workload, int batch)
    {
        using var plain = await OwnThread.Run(() => context.Python(workload));
        // Twice the rows of a batch are in flight, so that one batch is copied while another computes.
        await using var side = await Side.StartAsync(context, workload, Sides.Options(context, workload, batch), receipts: false, callers: 4 * batch);
        var rough = await OwnThread.Run(() => side.Loop.Run(8L * batch * (workload.IsSlow ? 1 : 16)));
        var requests = Math.Max(8L * batch, (long)(rough.Rate * (context.Options.Quick ? 0.3 : 1)));
        var (copied, resident) = (new List<PlainWindow>(), new List<PlainWindow>());
        await Interleaved.RunAsync(
            context.Options.Rounds(8, 2),
            [
                async () => resident.Add(await OwnThread.Run(() => plain.Resident(batch, requests / batch))),
                async () => copied.Add(await OwnThread.Run(() => plain.Fixed(batch, requests / batch))),
                () => side.MeasureAsync(requests),
            ]);
        var ratio = Interleaved.Ratio(side.Windows.Select(w => w.Rate), resident.Select(w => w.Rate));
        context.Figures.Set("overlap_ratio", $"{workload.Name}_{batch}", ratio);
        context.Figures.Row($"engine over computing alone, {workload.Name}, batch {batch}", ratio, "", Reach, atLeast: true, FormattableString.Invariant(
            $"Python with copies {Interleaved.Ratio(copied.Select(w => w.Rate), resident.Select(w => w.Rate)):0.000}; {Median.Of(resident, w => w.Rate):#,0} rows/s resident"));
    }
}
