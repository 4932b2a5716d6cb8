using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>An engine with one model, or with several copies of it.</summary>
internal sealed class Served : IAsyncDisposable
{
    private Served(InferenceEngine engine, ModelInfo[] models)
    {
        Engine = engine;
        Models = models;
        OutputBytes = checked((int)Model.Outputs.Sum(output => output.StaticRowBytes));
    }

    public InferenceEngine Engine { get; }

    public ModelInfo[] Models { get; }

    public ModelInfo Model => Models[0];

    public IReadOnlyList<TensorSpec> Inputs => Model.Inputs;

    /// <summary>Bytes of all outputs of one row.</summary>
    public int OutputBytes { get; }

    public long Batches => Models.Sum(model => Engine.Statistics(model.Name)!.Batches);

    public long Rows => Models.Sum(model => Engine.Statistics(model.Name)!.Rows);

    /// <param name="receipts">Whether batches are sealed, for a sink that accepts and forgets them: nothing is durable.</param>
    public static Task<Served> StartAsync(BenchContext context, ModelOptions options, bool receipts) => StartAsync(context, [options], receipts);

    public static async Task<Served> StartAsync(BenchContext context, IReadOnlyList<ModelOptions> models, bool receipts)
    {
        var engine = new InferenceEngine(new InferenceEngineOptions
        {
            Backend = context.Backend,
            Sealer = receipts ? context.Keys.Epoch : null,
            Sink = receipts ? new CountingSink() : null,
        });
        var loaded = new List<ModelInfo>();
        foreach (var model in models) loaded.Add(await engine.LoadModelAsync(model));
        return new Served(engine, [.. loaded]);
    }

    /// <summary>The engine's defaults, but for the largest batch. In quick runs the class is stated, so that no time goes into probing.</summary>
    public static ModelOptions Options(BenchContext context, Workload workload, int maxBatch)
    {
        var options = new ModelOptions { Name = workload.Name, Path = workload.Path, MaxBatch = workload.MaxBatch ?? maxBatch };
        return context.Options.Quick ? options with { Determinism = DeterminismClass.B } : options;
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
