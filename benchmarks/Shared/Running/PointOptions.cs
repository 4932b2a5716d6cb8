using System.Globalization;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>What every benchmark that consists of points can be told. Immutable; the defaults are those of the full run.</summary>
internal abstract record PointOptions
{
    public bool Quick { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Names of the points to run; null for all.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>Multiplies rounds. 1 is what fits under 15 minutes on two quiet cores.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The native library under the models; null looks where the engine looks.</summary>
    public string? Library { get; init; }

    /// <summary>How many rounds: the full number scaled, or the quick one.</summary>
    public int Rounds(int full, int quick) => Quick ? quick : Math.Max(1, (int)Math.Round(full * Scale));

    public bool Runs(string point) => Only is null || Only.Contains(point);

    /// <exception cref="FormatException">An argument is not understood; the message names it.</exception>
    protected static T Read<T>(T options, string[] arguments, IReadOnlyCollection<string> points) where T : PointOptions => (T)OptionReader.Read<PointOptions>(
        options, arguments, "--quick", read => read with { Quick = true }, (read, name, value) => read.WithOwn(name, value) ?? read.WithCommon(name, value, points));

    /// <summary>The options of one benchmark alone; null for what is none of them.</summary>
    protected abstract PointOptions? WithOwn(string name, string value);

    private PointOptions WithCommon(string name, string value, IReadOnlyCollection<string> points) => name switch
    {
        "--only" => this with { Only = OptionReader.Chosen(name, value, points).ToHashSet() },
        "--scale" => this with { Scale = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) && scale is > 0 and <= 100 ? scale : throw new FormatException($"--scale: '{value}' is not a number above 0 and up to 100") },
        "--seed" => this with { Seed = OptionReader.Whole(name, value) },
        "--library" => this with { Library = value },
        _ => throw OptionReader.Unknown(name),
    };
}
