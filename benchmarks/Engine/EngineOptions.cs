using System.Globalization;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record EngineOptions
{
    public bool Quick { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Names of the points to run; null for all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>Multiplies rounds. 1 is what fits under 15 minutes on two quiet cores.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Where the models made by scripts lie.</summary>
    public string Made { get; init; } = "artifacts/models";

    /// <summary>ONNX Runtime's library; null looks where the engine looks.</summary>
    public string? Library { get; init; }

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

    /// <summary>How many rounds: the full number scaled, or the quick one.</summary>
    public int Rounds(int full, int quick) => Quick ? quick : Math.Max(1, (int)Math.Round(full * Scale));

    public bool Runs(string point) => Only is null || Only.Contains(point);

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static EngineOptions Parse(string[] arguments, IEnumerable<string> points)
    {
        var options = new EngineOptions();
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

    private EngineOptions With(string name, string value, IEnumerable<string> points) => name switch
    {
        "--only" => this with { Only = Chosen(value, points) },
        "--scale" => this with { Scale = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) && scale is > 0 and <= 100 ? scale : throw new FormatException($"--scale: '{value}' is not a number above 0 and up to 100") },
        "--seed" => this with { Seed = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : throw new FormatException($"--seed: '{value}' is not a whole number") },
        "--made" => this with { Made = value },
        "--library" => this with { Library = value },
        "--og" => this with { Og = value },
        _ => throw new FormatException($"{name}: unknown; see --help"),
    };

    private static HashSet<string> Chosen(string value, IEnumerable<string> points)
    {
        var chosen = value.Split(',').ToHashSet();
        return chosen.IsSubsetOf(points) ? chosen : throw new FormatException($"--only: '{value}'; choose of {string.Join(',', points)}");
    }
}
