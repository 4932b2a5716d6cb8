using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.LanguageModels;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record RunOptions
{
    private static readonly string[] KnownModels = ["125m", "500m"];

    public bool Quick { get; init; }

    /// <summary>Names of the points to run; null for all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>Null: both, or the smaller one of a quick run.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>Null: all three.</summary>
    public IReadOnlyList<Precision>? Precisions { get; init; }

    /// <summary>Multiplies rounds. 1 is what fits under 15 minutes on two quiet cores.</summary>
    public double Scale { get; init; } = 1;

    public int Seed { get; init; } = 1;

    /// <summary>Of both sides. Every core, as both take by default.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>ONNX Runtime's library; null looks where the engine looks.</summary>
    public string? Library { get; init; }

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

    /// <summary>How many rounds: the full number scaled, or the quick one.</summary>
    public int Rounds(int full, int quick) => Quick ? quick : Math.Max(1, (int)Math.Round(full * Scale));

    public bool Runs(string point) => Only is null || Only.Contains(point);

    public IReadOnlyList<string> ModelNames => Models ?? (Quick ? ["125m"] : KnownModels);

    public IReadOnlyList<Precision> PrecisionsToRun => Precisions ?? (Quick ? [Precision.Bf16, Precision.Int4] : [Precision.Bf16, Precision.Int8, Precision.Int4]);

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
        "--only" => this with { Only = Chosen(name, value, points).ToHashSet() },
        "--model" => this with { Models = Chosen(name, value, KnownModels) },
        "--precision" => this with { Precisions = [.. Chosen(name, value, ["bf16", "int8", "int4"]).Select(text => Enum.Parse<Precision>(text, ignoreCase: true))] },
        "--threads" => this with { Threads = Whole(name, value, 1, 256) },
        "--scale" => this with { Scale = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) && scale is > 0 and <= 100 ? scale : throw new FormatException($"--scale: '{value}' is not a number above 0 and up to 100") },
        "--seed" => this with { Seed = Whole(name, value, 0, int.MaxValue) },
        "--library" => this with { Library = value },
        _ => throw new FormatException($"{name}: unknown; see --help"),
    };

    private static int Whole(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name}: '{value}' is not a whole number from {least} to {most}");

    private static string[] Chosen(string name, string value, IReadOnlyCollection<string> known)
    {
        var chosen = value.Split(',').Distinct().ToArray();
        return chosen.All(known.Contains) ? chosen : throw new FormatException($"{name}: '{value}'; choose of {string.Join(',', known)}");
    }
}
