namespace OpenGradient.Engine.Benchmarks;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record EngineOptions : PointOptions
{
    /// <summary>Where the models made by scripts lie.</summary>
    public string Made { get; init; } = "artifacts/models";

    public string Og { get; init; } = "artifacts/bin/OpenGradient.Engine.Host/release/og";

    public string EmptyHost { get; init; } = "artifacts/bin/OpenGradient.Engine.EmptyHost/release/OpenGradient.Engine.EmptyHost";

    /// <summary>Of every closed loop that does not vary it; 64 is the figure that the reaches are stated for.</summary>
    public const int Callers = 64;

    public const string Help = """
        og engine benchmark: the engine against plain C over the same library, in one run; every answer it counts is checked.

        Usage: ./bench.sh engine [options]
          --quick          under one minute: a look, not a measurement
          --only A,B       of calls, serving, idle, allocation, noop, http, growth, replay, alignment (all)
          --scale F        multiplies the number of rounds (1)
          --seed N         seed of inputs, arrivals and neighbours (1)
          --made FOLDER    models made by scripts (artifacts/models)
          --library PATH   ONNX Runtime's library (as the engine finds it; see OG_ORT_LIBRARY)
          --og PATH        the host for HTTP (artifacts/bin/OpenGradient.Engine.Host/release/og)
          --help

        Prints a table and, as the last line, one JSON object; keys of points that did not run are null. Exit code 0 when every
        checked answer and receipt holds, 1 when one does not, 2 when the run could not be made. See benchmarks/README.md.
        """;

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static EngineOptions Parse(string[] arguments, IReadOnlyCollection<string> points) => Read(new EngineOptions(), arguments, points);

    protected override PointOptions? WithOwn(string name, string value) => name switch
    {
        "--made" => this with { Made = value },
        "--og" => this with { Og = value },
        _ => null,
    };
}
