using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>What every point needs.</summary>
internal sealed class BenchContext(EngineOptions options, OnnxRuntimeLibrary library, SealingKeys keys, IReadOnlyDictionary<string, Workload> workloads, Figures figures)
{
    // The best static batch by model, found once.
    private readonly Dictionary<string, int> _best = [];

    private readonly Dictionary<string, RowSet> _rows = [];

    public EngineOptions Options => options;

    public OnnxRuntimeLibrary Library => library;

    public IModelBackend Backend { get; } = new OnnxRuntimeBackend(library);

    public SealingKeys Keys => keys;

    public Figures Figures => figures;

    /// <exception cref="InvalidOperationException">Its file does not exist.</exception>
    public Workload Workload(string name)
    {
        var workload = workloads[name];
        return File.Exists(workload.Path) ? workload : throw new InvalidOperationException($"{workload.Path} does not exist; './bench.sh engine' makes the models that the repository does not hold");
    }

    /// <summary>The plain C program over this model with one thread per core.</summary>
    public PlainProcess Plain(Workload workload, int? threads = null) => new(library.Info.Path, workload.Path, threads ?? Environment.ProcessorCount, Rows(workload).Rows);

    /// <summary>The rows that the model is asked by everyone; few of a slow one, since each is executed once more when answers are checked.</summary>
    public RowSet Rows(Workload workload)
    {
        if (_rows.TryGetValue(workload.Name, out var known)) return known;
        using var direct = new DirectRows(Backend, workload.Name, workload.Path);
        return _rows[workload.Name] = new RowSet(direct.Inputs, workload.IsSlow ? options.Quick ? 8 : 32 : 256, options.Seed);
    }

    /// <summary>The batch at which the plain loops make most rows per second; of a quick run, the usual one.</summary>
    public int BestStaticBatch(Workload workload, PlainProcess plain)
    {
        if (_best.TryGetValue(workload.Name, out var known)) return known;
        if (options.Quick) return _best[workload.Name] = workload.UsualBatch;
        var search = StaticBatch.Search(plain, workload, Environment.ProcessorCount, roughly: 4);
        Note($"{workload.Name}: best static batch {search.Best}, {search.Rates[search.Best]:0} rows/s ({search})");
        figures.Text("serving", $"{workload.Name}: plain C rows/s by batch: {search}");
        return _best[workload.Name] = search.Best;
    }

    /// <summary>Progress, on standard error.</summary>
    public static void Note(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));
}
