using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>How models are served here.</summary>
internal static class Sides
{
    // One batch is copied while another computes; more workers would cut the callers into small batches.
    private const int GpuWorkers = 2;

    public static ModelOptions Options(BenchContext context, Workload workload, int maxBatch) => Served.Options(context, workload, maxBatch) with
    {
        Execution = context.Options.Execution,
        Workers = context.Options.Cuda is null ? null : GpuWorkers,
    };
}

/// <summary>One engine with one model and its callers; every answer of every window is checked after it.</summary>
internal sealed class Side : IAsyncDisposable
{
    private readonly BenchContext _context;
    private readonly Served _served;
    private readonly AnswerCheck _check;

    private Side(BenchContext context, Workload workload, Served served, int callers, bool receipts)
    {
        (_context, _served) = (context, served);
        var rows = context.Rows(workload);
        Loop = new ClosedLoop(served, rows, callers);
        _check = new AnswerCheck(context, workload, served, rows, receipts);
    }

    public ClosedLoop Loop { get; }

    public List<Window> Windows { get; } = [];

    public ModelInfo Model => _served.Model;

    public static async Task<Side> StartAsync(BenchContext context, Workload workload, ModelOptions options, bool receipts, int callers = TorchOptions.Callers) =>
        new(context, workload, await Served.StartAsync(context, options, receipts), callers, receipts);

    /// <summary>A window of so many requests over all callers.</summary>
    public async Task MeasureAsync(long requests)
    {
        Windows.Add(await OwnThread.Run(() => Loop.Run(requests)));
        _context.Figures.Count(_check.Check(Loop.Logs));
    }

    public ValueTask DisposeAsync() => _served.DisposeAsync();
}
