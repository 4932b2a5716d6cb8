using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>What <see cref="ServingPoint"/> alternates, and the windows of each.</summary>
internal sealed class Sides : IAsyncDisposable
{
    // Compiling hot methods again took 7% of the processor time in the third second, under 1% after the sixth.
    private const double WarmUpSeconds = 3;

    private readonly BenchContext _context;
    private readonly Workload _workload;
    private readonly PlainProcess _plain;
    private readonly int _batch;
    private readonly List<Served> _served = [];
    private readonly List<(ClosedLoop Loop, AnswerCheck Check, List<Window> Windows)> _engines = [];
    private long _requests;

    private Sides(BenchContext context, Workload workload, PlainProcess plain, int batch) => (_context, _workload, _plain, _batch) = (context, workload, plain, batch);

    public List<PlainWindow> Static { get; } = [];

    public List<PlainWindow> PlainUnbatched { get; } = [];

    public List<Window> With { get; } = [];

    public List<Window> Without { get; } = [];

    public List<Window> EngineUnbatched { get; } = [];

    public bool HasUnbatched => !_workload.IsSlow;

    public static async Task<Sides> StartAsync(BenchContext context, Workload workload, PlainProcess plain, int batch)
    {
        var sides = new Sides(context, workload, plain, batch);
        var options = Served.Options(context, workload, batch);
        await sides.AddAsync(options, receipts: false, sides.Without);
        await sides.AddAsync(options, receipts: true, sides.With);
        if (sides.HasUnbatched) await sides.AddAsync(options with { AllowBatching = false }, receipts: false, sides.EngineUnbatched);
        await OwnThread.Run(sides.Prepare);
        return sides;
    }

    public async Task RunAsync(int rounds)
    {
        var seconds = _requests / _workload.RoughRate;
        var cases = new List<Func<Task>> { async () => Static.Add(await OwnThread.Run(() => _plain.Fixed(_batch, Math.Max(1, _requests / _batch)))) };
        foreach (var engine in _engines)
            cases.Add(async () =>
            {
                engine.Windows.Add(await OwnThread.Run(() => engine.Loop.Run(ReferenceEquals(engine.Windows, EngineUnbatched) ? _requests / 5 : _requests)));
                _context.Figures.Count(engine.Check.Check(engine.Loop.Logs));
            });
        if (HasUnbatched) cases.Add(async () => PlainUnbatched.Add(await OwnThread.Run(() => _plain.Unbatched(EngineOptions.Callers, seconds))));
        await Interleaved.RunAsync(rounds, [.. cases]);
        BenchContext.Note($"{_workload.Name}: plain {Static[^1].Rate:0}, engine {Without[^1].Rate:0}, with receipts {With[^1].Rate:0} rows/s");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var served in _served) await served.DisposeAsync();
    }

    private async Task AddAsync(ModelOptions options, bool receipts, List<Window> windows)
    {
        var served = await Served.StartAsync(_context, options, receipts);
        _served.Add(served);
        var rows = _context.Rows(_workload);
        _engines.Add((new ClosedLoop(served, rows, EngineOptions.Callers), new AnswerCheck(_context, _workload, served, rows, receipts), windows));
    }

    /// <summary>Chooses the window's work, the same for all sides, and warms the engines up.</summary>
    private bool Prepare()
    {
        var quick = _context.Options.Quick;
        var rate = Math.Min(_workload.RoughRate, _plain.Fixed(_batch, Math.Max(2, (long)(_workload.RoughRate * 0.2 / _batch))).Rate);
        // A slow model's callers ask at least twice each, in whole batches for every core.
        var whole = (long)_batch * Environment.ProcessorCount;
        var wanted = _workload.IsSlow ? Math.Max((quick ? 1 : 2) * EngineOptions.Callers, rate * (quick ? 0 : 2)) : rate * (quick ? 0.3 : 1);
        _requests = (long)Math.Ceiling(wanted / whole) * whole;
        foreach (var engine in _engines)
        {
            if (_workload.IsSlow) engine.Loop.Run(2 * whole);
            else engine.Loop.Run((long)(rate * (quick ? 0.4 : WarmUpSeconds / 2)));
            if (!_workload.IsSlow && !quick) engine.Loop.Run((long)(rate * WarmUpSeconds / 2));
        }

        return true;
    }

}
