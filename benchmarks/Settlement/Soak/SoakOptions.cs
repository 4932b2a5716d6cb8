namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>What one soak does. Immutable.</summary>
internal sealed record SoakOptions
{
    /// <summary>Minutes under faults; waiting for quiet and the audit come on top.</summary>
    public double Minutes { get; init; } = 20;

    public int Seed { get; init; } = 1;

    /// <summary>Requests per second. 50: thousands of statements per minute of soak, and most of a small machine left to what is soaked.</summary>
    public double Rate { get; init; } = 50;

    /// <summary>MiB of the small disk that the data folder lies on; 0 for the disk at hand, which is then never filled. 512: several times what 20 minutes write.</summary>
    public int DiskMiB { get; init; } = 512;

    /// <summary>Leave folder and logs behind.</summary>
    public bool Keep { get; init; }

    public string Og { get; init; } = "artifacts/bin/OpenGradient.Engine.Host/release/og";

    /// <summary>From here on a kind of fault that never bit makes the soak fail: it has shown nothing about that fault.</summary>
    public bool MustBite => Minutes >= 10;

    public const string Help = """
        og soak: a real host under load, a real node, and faults from one seed; at the end every acknowledged receipt must be final,
        exactly once.

        Usage: scripts/soak.sh [options]
          --minutes F      under faults (20); quiet and audit come on top
          --seed N         of every fault and moment (1)
          --rate F         requests per second (50)
          --disk-mib N     size of the small disk that is filled now and then; 0 for none; needs root (512)
          --keep           leave the data folder behind, and say where
          --og PATH        the host (artifacts/bin/OpenGradient.Engine.Host/release/og)
          --help

        Prints the faults, how often each was injected and how often it bit, and the counts of the audit. Exit code 0 when everything
        holds, 1 when something does not (or, from 10 minutes on, when a kind of fault never bit), 2 when the soak could not be made.
        """;

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static SoakOptions Parse(string[] arguments) =>
        OptionReader.Read(new SoakOptions(), arguments, "--keep", options => options with { Keep = true }, (options, name, value) => options.With(name, value));

    private SoakOptions With(string name, string value) => name switch
    {
        "--minutes" => this with { Minutes = OptionReader.Number(name, value, 0.1, 24 * 60) },
        "--rate" => this with { Rate = OptionReader.Number(name, value, 0.1, 10_000) },
        "--seed" => this with { Seed = (int)OptionReader.Number(name, value, 0, int.MaxValue) },
        "--disk-mib" => this with { DiskMiB = (int)OptionReader.Number(name, value, 0, 1 << 20) },
        "--og" => this with { Og = value },
        _ => throw OptionReader.Unknown(name),
    };
}
