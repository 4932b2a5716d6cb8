namespace OpenGradient.Engine.Benchmarks.Settlement;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record RunOptions : PointOptions
{
    /// <summary>Where outboxes and logs are written. Under the repository's output, because a temporary folder may be memory.</summary>
    public string Folder { get; init; } = "artifacts/settlement-bench";

    public const string Help = """
        og settlement benchmark: the outbox against its disk, the pipeline, the trust gap on a real node, gas, growth. Everything that is
        counted is read back and checked.

        Usage: ./bench.sh settlement [options]
          --quick          under one minute: a look, not a measurement
          --only A,B       of durable, throughput, gap, gas, growth (all)
          --scale F        multiplies the number of rounds (1)
          --seed N         seed of arrivals (1)
          --folder PATH    where outboxes and logs are written, on the disk to be measured (artifacts/settlement-bench)
          --library PATH   ONNX Runtime's library (as the engine finds it; see OG_ORT_LIBRARY)
          --help

        Prints a table and, as the last line, one JSON object; keys of points that did not run are null. Exit code 0 when everything that
        was counted holds, 1 when something does not, 2 when the run could not be made. See benchmarks/README.md.
        """;

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static RunOptions Parse(string[] arguments, IReadOnlyCollection<string> points) => Read(new RunOptions(), arguments, points);

    protected override PointOptions? WithOwn(string name, string value) => name switch
    {
        "--folder" => this with { Folder = value },
        _ => null,
    };
}
