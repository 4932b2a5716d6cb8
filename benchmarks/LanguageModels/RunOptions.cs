namespace OpenGradient.Engine.Benchmarks.LanguageModels;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record RunOptions : PointOptions
{
    private static readonly string[] KnownModels = ["125m", "500m"];

    /// <summary>Null: both, or the smaller one of a quick run.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>Null: all three.</summary>
    public IReadOnlyList<Precision>? Precisions { get; init; }

    /// <summary>Of both sides. Every core, as both take by default.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    public const string Help = """
        og language model benchmark: the engine's own kernels beside llama.cpp, same shapes and precision, random weights, same threads.

        Usage: ./bench.sh llm [options]
          --quick            under one minute: a look, not a measurement
          --only A,B         of bandwidth, decode, prefill, load, memory, verify, onnxruntime (all)
          --model A,B        of 125m, 500m (both; a quick run takes 125m)
          --precision A,B    of bf16, int8, int4 (all; a quick run takes bf16 and int4)
          --threads N        of both sides (every core)
          --scale F          multiplies the number of rounds (1)
          --seed N           seed of arrivals (1)
          --library PATH     ONNX Runtime's library (as the engine finds it; see OG_ORT_LIBRARY)
          --help

        Prints a table and, as the last line, one JSON object; keys of points that did not run are null. Exit code 0 when everything that
        was counted holds, 1 when something does not, 2 when the run could not be made. See benchmarks/README.md.
        """;

    public IReadOnlyList<string> ModelNames => Models ?? (Quick ? ["125m"] : KnownModels);

    public IReadOnlyList<Precision> PrecisionsToRun => Precisions ?? (Quick ? [Precision.Bf16, Precision.Int4] : [Precision.Bf16, Precision.Int8, Precision.Int4]);

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static RunOptions Parse(string[] arguments, IReadOnlyCollection<string> points) => Read(new RunOptions(), arguments, points);

    protected override PointOptions? WithOwn(string name, string value) => name switch
    {
        "--model" => this with { Models = OptionReader.Chosen(name, value, KnownModels) },
        "--precision" => this with { Precisions = [.. OptionReader.Chosen(name, value, ["bf16", "int8", "int4"]).Select(text => Enum.Parse<Precision>(text, ignoreCase: true))] },
        "--threads" => this with { Threads = OptionReader.Whole(name, value, 1, 256) },
        _ => null,
    };
}
