using OpenGradient.Engine.Backends;
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

    /// <summary>The batch at which the plain loops make most rows per second, by CPU-bound windows of about the given length.</summary>
    public int BestStaticBatch(Workload workload, PlainProcess plain)
    {
        if (_best.TryGetValue(workload.Name, out var known)) return known;
        if (options.Quick) return _best[workload.Name] = workload.UsualBatch;
        var seconds = workload.IsSlow ? 1.0 : 0.4;
        var rate = Math.Max(1, plain.Fixed(1, (long)Math.Ceiling(seconds * workload.RoughRate / 4)).Rate);
        var rates = new Dictionary<int, double>();
        // A disturbance lasts longer than a window: the second pass visits every size again, later.
        for (var pass = 0; pass < 2; pass++)
            for (var batch = 1; batch <= workload.LargestSearched; batch *= 2)
            {
                // Neighbouring sizes are about as fast: the last rate sizes the next window.
                var calls = Math.Max(2 * Environment.ProcessorCount, (long)(seconds * rate / batch));
                rate = plain.Fixed(batch, calls).Rate;
                rates[batch] = Math.Max(rates.GetValueOrDefault(batch), rate);
            }

        var best = rates.MaxBy(pair => pair.Value).Key;
        Note($"{workload.Name}: best static batch {best}, {rates[best]:0} rows/s ({string.Join(", ", rates.Select(pair => FormattableString.Invariant($"{pair.Key}: {pair.Value:0}")))})");
        figures.Text("serving", FormattableString.Invariant($"{workload.Name}: plain C rows/s by batch: {string.Join(", ", rates.Select(pair => FormattableString.Invariant($"{pair.Key}: {pair.Value:0}")))}"));
        return _best[workload.Name] = best;
    }

    /// <summary>Progress, on standard error.</summary>
    public static void Note(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));
}
