using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>What one run measures. Immutable; the defaults are those of the full run.</summary>
internal sealed record TorchOptions : PointOptions
{
    /// <summary>GPU ordinal; null executes on the CPU.</summary>
    public int? Cuda { get; init; }

    /// <summary>The shipped TorchScript folders.</summary>
    public string Models { get; init; } = "models/torch";

    /// <summary>Where the models made by scripts lie.</summary>
    public string Made { get; init; } = "artifacts/models/torch";

    /// <summary>A Python with torch.</summary>
    public string Python { get; init; } = "/usr/bin/python3";

    /// <summary>The plain loop in Python.</summary>
    public string Script { get; init; } = "benchmarks/Torch/plain.py";

    /// <summary>The same loop in C++; where the file is not there, what needs it is null.</summary>
    public string Loop { get; init; } = "build/release/benchmarks/og_torch_plain";

    /// <summary>Of every closed loop that does not vary it; 64 is the figure that the reaches are stated for.</summary>
    public const int Callers = 64;

    public ExecutionOptions Execution => Cuda is { } ordinal ? new ExecutionOptions { Device = ExecutionDevice.Cuda, DeviceId = ordinal } : new ExecutionOptions();

    /// <summary>As Python and libtorch name the device.</summary>
    public string Device => Cuda is { } ordinal ? $"cuda:{ordinal}" : "cpu";

    public const string Help = """
        og torch benchmark: the engine over TorchScript beside the same loop in C++ and a plain loop in Python, in one run.

        Usage: ./bench.sh torch [options]
          --quick          under a minute: a look, not a measurement
          --only A,B       of calls, serving, gain, bits, overlap (all; overlap on a GPU alone)
          --cuda N         on that GPU (the CPU)
          --scale F        multiplies the number of rounds (1)
          --seed N         seed of the inputs (1)
          --library PATH   libog_torch.so (as the engine finds it; see OG_TORCH_LIBRARY)
          --models FOLDER  the shipped TorchScript models (models/torch)
          --made FOLDER    models made by scripts (artifacts/models/torch)
          --python PATH    a Python with torch (/usr/bin/python3)
          --script PATH    the plain loop in Python (benchmarks/Torch/plain.py)
          --loop PATH      the plain loop in C++ (build/release/benchmarks/og_torch_plain)
          --help

        Prints a table and, as the last line, one JSON object; what was not measured is null. Exit code 0 when every checked
        answer and receipt holds, 1 when one does not, 2 when the run could not be made. See benchmarks/README.md.
        """;

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    public static TorchOptions Parse(string[] arguments, IReadOnlyCollection<string> points) => Read(new TorchOptions(), arguments, points);

    protected override PointOptions? WithOwn(string name, string value) => name switch
    {
        "--cuda" => this with { Cuda = OptionReader.Whole(name, value) },
        "--models" => this with { Models = value },
        "--made" => this with { Made = value },
        "--python" => this with { Python = value },
        "--script" => this with { Script = value },
        "--loop" => this with { Loop = value },
        _ => null,
    };
}
