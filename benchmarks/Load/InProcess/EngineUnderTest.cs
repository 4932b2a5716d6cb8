using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>One engine with one model.</summary>
internal sealed class EngineUnderTest : IAsyncDisposable
{
    private EngineUnderTest(InferenceEngine engine, ModelInfo model)
    {
        Engine = engine;
        Model = model;
        OutputBytes = checked((int)model.Outputs.Sum(output => output.StaticRowBytes));
    }

    public InferenceEngine Engine { get; }

    public ModelInfo Model { get; }

    /// <summary>Bytes of all outputs of one row.</summary>
    public int OutputBytes { get; }

    public ModelStatistics Statistics => Engine.Statistics(Model.Name)!;

    public static async Task<EngineUnderTest> StartAsync(LoadOptions options, OnnxRuntimeLibrary library, IBatchSealer? sealer, ISealedBatchSink? sink)
    {
        var engine = new InferenceEngine(new InferenceEngineOptions { Backend = new OnnxRuntimeBackend(library), Sealer = sealer, Sink = sink });
        return new EngineUnderTest(engine, await engine.LoadModelAsync(OptionsOf(options)));
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();

    /// <summary>The file that the plain loops open too.</summary>
    public static string ModelFile(LoadOptions options) => OptionsOf(options).Path;

    private static ModelOptions OptionsOf(LoadOptions options)
    {
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(options.Model, "model.json")));
        var root = description.RootElement;
        return new ModelOptions
        {
            Name = root.GetProperty("name").GetString()!,
            Version = root.GetProperty("version").GetString()!,
            Path = Path.Combine(options.Model, root.GetProperty("file").GetString()!),
            MaxBatch = options.MaxBatch > 0 ? options.MaxBatch : root.GetProperty("maxBatch").GetInt32(),
            Workers = options.Workers > 0 ? options.Workers : null,
        };
    }
}
