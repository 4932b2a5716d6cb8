namespace OpenGradient.Engine.Load;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record LoadOptions
{
    /// <summary>Concurrent callers of every closed loop; 64 is the figure.</summary>
    public int Callers { get; init; } = 64;

    /// <summary>Interleaved rounds; the median over 15 moves by less than a tenth of one round's spread.</summary>
    public int Rounds { get; init; } = 15;

    /// <summary>Seconds of one measured window. Longer ones meet more of the machine's other work, shorter ones too few garbage collections.</summary>
    public double Seconds { get; init; } = 1;

    /// <summary>Open loop: requests per second; 0 takes a quarter, half and three quarters of the closed loop's.</summary>
    public double Rate { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>The plain loop's batch; 0 searches for the best one.</summary>
    public int StaticBatch { get; init; }

    /// <summary>The engine's largest batch; 0 takes the model's own.</summary>
    public int MaxBatch { get; init; }

    /// <summary>The engine's workers; 0 takes its default.</summary>
    public int Workers { get; init; }

    /// <summary>Whether to run the cases named in <see cref="Names"/>; null for all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    public string Model { get; init; } = "models/digits";

    /// <summary>ONNX Runtime's library; null looks where the engine looks.</summary>
    public string? Library { get; init; }

    /// <summary>The host's executable for the HTTP cases.</summary>
    public string Og { get; init; } = "artifacts/bin/OpenGradient.Engine.Host/release/og";

    public bool Quick { get; init; }

    public static readonly string[] Names = ["closed", "open", "http"];

    public const string Help = """
        og load: measures the engine against plain loops over ONNX Runtime's C API, in one run, and checks every receipt it counts.

        Usage: ./bench.sh load [options]
          --quick            under one minute: 5 rounds of 0.4 s
          --callers N        concurrent callers of the closed loops (64)
          --rounds N         interleaved rounds (15)
          --seconds S        length of one measured window (1)
          --rate R           open loop: requests per second (a quarter, half and three quarters of the closed loop's)
          --seed N           seed of the open loop's arrivals (1)
          --only A,B         of closed, open, http (all); closed is always measured, the others refer to it
          --static-batch N   batch of the plain loop (searched: 1, 2, 4 ... 256)
          --max-batch N      the engine's largest batch (the model's own)
          --workers N        the engine's workers (one per core)
          --model FOLDER     folder with model.json and inputs/ (models/digits)
          --library PATH     ONNX Runtime's library (as the engine finds it; see OG_ORT_LIBRARY)
          --og PATH          the host for the HTTP cases (artifacts/bin/OpenGradient.Engine.Host/release/og)
          --help

        Prints one JSON object per case and a last one with the ratios. Exit code 0 when every receipt holds, 1 when one does not,
        2 when the run could not be made.
        """;

    private static readonly LoadOptions QuickDefaults = new() { Quick = true, Rounds = 5, Seconds = 0.4 };

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static LoadOptions Parse(string[] arguments)
    {
        // Whatever its position, --quick sets defaults that other options override.
        var defaults = arguments.Contains("--quick") ? QuickDefaults : new LoadOptions();
        return OptionReader.Read(defaults, arguments, "--quick", options => options, (options, name, value) => options.With(name, value));
    }

    private LoadOptions With(string name, string value) => name switch
    {
        "--callers" => this with { Callers = OptionReader.Whole(name, value, 1, 100_000) },
        "--rounds" => this with { Rounds = OptionReader.Whole(name, value, 1, 1000) },
        "--seconds" => this with { Seconds = OptionReader.Number(name, value, 0.05, 60) },
        "--rate" => this with { Rate = OptionReader.Number(name, value, 1, 1e7) },
        "--seed" => this with { Seed = OptionReader.Whole(name, value, 0, int.MaxValue) },
        "--static-batch" => this with { StaticBatch = OptionReader.Whole(name, value, 1, 4096) },
        "--max-batch" => this with { MaxBatch = OptionReader.Whole(name, value, 1, 4096) },
        "--workers" => this with { Workers = OptionReader.Whole(name, value, 1, 64) },
        "--only" => this with { Only = OptionReader.Chosen(name, value, Names).ToHashSet() },
        "--model" => this with { Model = value },
        "--library" => this with { Library = value },
        "--og" => this with { Og = value },
        _ => throw OptionReader.Unknown(name),
    };

    public bool Runs(string name) => Only is null || Only.Contains(name);
}
