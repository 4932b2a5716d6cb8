using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Measuring;
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

    public IReadOnlyList<Workload> Workloads { get; } = Models.Workloads.Of(options);

    /// <summary>Plain loops: one thread per core on the CPU; on a GPU one, which is what a plain loop is.</summary>
    public int Threads => options.Cuda is null ? Environment.ProcessorCount : 1;

    public LoopProcess Python(Workload workload, int? threads = null) => LoopProcess.Python(options, library, workload, Rows(workload), threads ?? Threads);

    /// <summary>Null where it was not built.</summary>
    public LoopProcess? Native(Workload workload, int threads) => File.Exists(options.Loop) ? LoopProcess.Native(options, library, workload, Rows(workload), threads) : null;

    /// <summary>The rows that the model is asked by everyone; few of a slow one, since each is executed once more when answers are checked.</summary>
    /// <exception cref="InvalidOperationException">Its file does not exist.</exception>
    public RowSet Rows(Workload workload)
    {
        if (_rows.TryGetValue(workload.Name, out var known)) return known;
        if (!File.Exists(workload.Path)) throw new InvalidOperationException($"{workload.Path} does not exist; './bench.sh torch' makes the models that the repository does not hold");
        using var direct = Direct(workload);
        return _rows[workload.Name] = new RowSet(direct.Inputs, workload.IsSlow ? 32 : 256, options.Seed);
    }

    /// <summary>The model on the benchmark's device, without an engine.</summary>
    public DirectRows Direct(Workload workload) => new(Backend, workload.Name, workload.Path, options.Execution);

    /// <summary>The batch at which the plain loop in Python makes most rows per second; of a quick run, the usual one.</summary>
    public int BestStaticBatch(Workload workload, LoopProcess plain)
    {
        if (_best.TryGetValue(workload.Name, out var known)) return known;
        if (options.Quick) return _best[workload.Name] = workload.UsualBatch;
        var search = StaticBatch.Search(plain, workload, Threads, roughly: 16);
        figures.Text("serving", $"{workload.Name}: plain Python rows/s by batch: {search}");
        return _best[workload.Name] = search.Best;
    }

    /// <summary>Progress, on standard error.</summary>
    public static void Note(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));
}
