using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.Settlement;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record RunOptions
{
    public bool Quick { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Names of the points to run; null for all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>Multiplies rounds. 1 is what fits under 15 minutes on two quiet cores.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Where outboxes and logs are written. Under the repository's output, because a temporary folder may be memory.</summary>
    public string Folder { get; init; } = "artifacts/settlement-bench";

    /// <summary>ONNX Runtime's library; null looks where the engine looks.</summary>
    public string? Library { get; init; }

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

    /// <summary>How many rounds: the full number scaled, or the quick one.</summary>
    public int Rounds(int full, int quick) => Quick ? quick : Math.Max(1, (int)Math.Round(full * Scale));

    public bool Runs(string point) => Only is null || Only.Contains(point);

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static RunOptions Parse(string[] arguments, IReadOnlyCollection<string> points)
    {
        var options = new RunOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = arguments[i];
            if (name == "--quick")
            {
                options = options with { Quick = true };
                continue;
            }

            if (++i == arguments.Length) throw new FormatException($"{name}: unknown, or its value is missing; see --help");
            options = options.With(name, arguments[i], points);
        }

        return options;
    }

    private RunOptions With(string name, string value, IReadOnlyCollection<string> points) => name switch
    {
        "--only" => this with { Only = Chosen(value, points) },
        "--scale" => this with { Scale = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) && scale is > 0 and <= 100 ? scale : throw new FormatException($"--scale: '{value}' is not a number above 0 and up to 100") },
        "--seed" => this with { Seed = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : throw new FormatException($"--seed: '{value}' is not a whole number") },
        "--folder" => this with { Folder = value },
        "--library" => this with { Library = value },
        _ => throw new FormatException($"{name}: unknown; see --help"),
    };

    private static HashSet<string> Chosen(string value, IReadOnlyCollection<string> points)
    {
        var chosen = value.Split(',').ToHashSet();
        return chosen.IsSubsetOf(points) ? chosen : throw new FormatException($"--only: '{value}'; choose of {string.Join(',', points)}");
    }
}
