using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Plain;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>What every point needs.</summary>
internal sealed class BenchContext(TorchOptions options, TorchLibrary library, SealingKeys keys, TorchFigures figures)
{
    // The best static batch of the plain loop in Python by model, found once.
    private readonly Dictionary<string, int> _best = [];

    private readonly Dictionary<string, RowSet> _rows = [];

    public TorchOptions Options => options;

    public TorchLibrary Library => library;

    public IModelBackend Backend { get; } = new TorchBackend(library);

    public SealingKeys Keys => keys;

    public TorchFigures Figures => figures;

    public IReadOnlyList<Workload> Workloads { get; } = Workload.Catalogue(options);

    /// <summary>Plain loops: one thread per core on the CPU; on a GPU one, which is what a plain loop is.</summary>
    public int Threads => options.Cuda is null ? Environment.ProcessorCount : 1;

    public LoopProcess Python(Workload workload, int? threads = null) => LoopProcess.Python(options, library, workload, Rows(workload), threads ?? Threads);

    /// <summary>Null where it was not built.</summary>
    public LoopProcess? Native(Workload workload, int threads) => File.Exists(options.Loop) ? LoopProcess.Native(options, library, workload, Rows(workload), threads) : null;

    /// <exception cref="InvalidOperationException">Its file does not exist.</exception>
    public RowSet Rows(Workload workload)
    {
        if (_rows.TryGetValue(workload.Name, out var known)) return known;
        if (!File.Exists(workload.Path)) throw new InvalidOperationException($"{workload.Path} does not exist; './bench.sh torch' makes the models that the repository does not hold");
        using var direct = Direct(workload);
        return _rows[workload.Name] = new RowSet(direct.Inputs, workload.Rows, options.Seed);
    }

    /// <summary>The model on the benchmark's device, without an engine.</summary>
    public DirectRows Direct(Workload workload) => new(Backend, workload.Name, workload.Path, options.Execution);

    /// <summary>The batch at which the plain loop in Python makes most rows per second.</summary>
    public int BestStaticBatch(Workload workload, LoopProcess plain)
    {
        if (_best.TryGetValue(workload.Name, out var known)) return known;
        if (options.Quick) return _best[workload.Name] = workload.UsualBatch;
        var seconds = workload.IsSlow ? 1.0 : 0.4;
        var rate = Math.Max(1, plain.Fixed(1, (long)Math.Ceiling(seconds * workload.RoughRate / 16)).Rate);
        var rates = new Dictionary<int, double>();
        // A disturbance lasts longer than a window: the second pass visits every size again, later.
        for (var pass = 0; pass < 2; pass++)
            for (var batch = 1; batch <= workload.LargestSearched; batch *= 2)
            {
                // Neighbouring sizes are about as fast: the last rate sizes the next window.
                rate = plain.Fixed(batch, Math.Max(2 * Threads, (long)(seconds * rate / batch))).Rate;
                rates[batch] = Math.Max(rates.GetValueOrDefault(batch), rate);
            }

        var best = rates.MaxBy(pair => pair.Value).Key;
        figures.Text("serving", FormattableString.Invariant($"{workload.Name}: plain Python rows/s by batch: {string.Join(", ", rates.Select(pair => FormattableString.Invariant($"{pair.Key}: {pair.Value:0}")))}"));
        return _best[workload.Name] = best;
    }

    /// <summary>Progress, on standard error.</summary>
    public static void Note(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));
}
