using OpenGradient.Engine.Benchmarks.LanguageModels.Gguf;
using OpenGradient.Engine.Benchmarks.LanguageModels.Llama;
using OpenGradient.Engine.Benchmarks.LanguageModels.Report;
using OpenGradient.Engine.Benchmarks.LanguageModels.Sides;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.Benchmarks.LanguageModels;

/// <summary>What every point needs.</summary>
internal sealed class BenchContext(RunOptions options, Figures figures)
{
    /// <summary>Most sequences that any point advances at once, and most tokens of one.</summary>
    public const int MostSequences = 32, MostTokens = 1024;

    public RunOptions Options => options;

    public Figures Figures => figures;

    public LlamaLibrary Llama { get; } = LlamaLibrary.Load();

    /// <summary>Both sides of a model in one precision.</summary>
    public async Task<ModelPair> OpenAsync(ModelShape shape, Precision precision)
    {
        var gguf = GgufModel.Ensure(shape, precision, shape.Folder);
        // 2 bytes at least and 4 at most per number of the cache.
        var position = 2L * shape.Layers * shape.KeyValueHeads * shape.HeadSize * sizeof(float);
        var parts = await LanguageModelFolder.OpenAsync(shape.Folder, new LanguageModelLoadOptions
        {
            Scheme = precision switch { Precision.Int4 => WeightScheme.Int4, Precision.Int8 => WeightScheme.Int8, _ => WeightScheme.Bf16 },
            Threads = options.Threads,
            MaxSequences = MostSequences,
            ContextLength = Math.Min(shape.Context, MostTokens),
            CacheBytes = position * MostSequences * MostTokens,
        }, CancellationToken.None);
        return new ModelPair(shape, precision, new LlamaSide(Llama, gguf, options.Threads), new RuntimeSide("engine", parts.Runtime), parts);
    }

    /// <summary>Progress, on standard error.</summary>
    public static void Note(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));
}

/// <summary>One model in one precision, opened by both sides.</summary>
internal sealed record ModelPair(ModelShape Shape, Precision Precision, LlamaSide Llama, RuntimeSide Engine, LanguageModelParts Parts) : IDisposable
{
    /// <summary>For the table.</summary>
    public string Name => $"{Shape.Name} {Key}";

    /// <summary>For the line of JSON.</summary>
    public string Key => Precision.ToString().ToLowerInvariant();

    public void Dispose()
    {
        Llama.Dispose();
        Engine.Dispose();
    }
}
