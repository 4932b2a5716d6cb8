using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.Report;

/// <summary>What the points of a run found: rows of the table, texts below it, what was checked, and what could not be measured.</summary>
/// <param name="subject">Headings of the columns that say what a row is about.</param>
internal abstract class RunFigures(params string[] subject)
{
    private readonly List<string[]> _rows = [[.. subject, "to reach", "measured", "", ""]];
    private readonly List<(string Section, string Line)> _texts = [];
    private readonly Dictionary<string, string> _missing = [];

    /// <summary>What was counted and found again as it should be.</summary>
    public long Checked { get; private set; }

    /// <summary>What was counted and did not hold.</summary>
    public long Failed { get; private set; }

    public int ExitCode => Failed == 0 ? BenchmarkRun.Ok : BenchmarkRun.CheckFailed;

    public void Count(long held, long failed)
    {
        Checked += held;
        Failed += failed;
    }

    public void Text(string section, string line) => _texts.Add((section, line));

    /// <summary>Says why a key stays null.</summary>
    public void Missing(string key, string reason)
    {
        _missing[key] = reason;
        Text("not measured", $"{key}: {reason}");
    }

    /// <param name="reach">Null states no reach.</param>
    /// <param name="atLeast">Whether more is better.</param>
    protected void AddRow(string[] subject, double? measured, string unit, double? reach, bool atLeast, string note)
    {
        var verdict = reach is null || measured is null ? "" : (atLeast ? measured >= reach : measured <= reach) ? "reached" : "missed";
        _rows.Add([.. subject, reach is null ? "" : $"{(atLeast ? ">=" : "<=")} {Shown(reach)}", $"{Shown(measured)} {unit}".TrimEnd(), verdict, note]);
    }

    /// <summary>The title with what ran, the table, and the texts by their sections.</summary>
    protected void PrintTable(string title, TimeSpan took, bool quick, string warning = "")
    {
        Console.Out.WriteLine($"{title}, .NET {Environment.Version}, commit {Machine.Commit()}, {took.TotalSeconds:0} s{(quick ? ", QUICK: a look, not a measurement" : "")}.");
        if (warning.Length > 0) Console.Out.WriteLine($"Warning: {warning}");
        Console.Out.WriteLine();
        TextTable.Print(_rows);
        foreach (var section in _texts.GroupBy(text => text.Section))
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{section.Key}:");
            foreach (var (_, line) in section) Console.Out.WriteLine($"  {line}");
        }

        Console.Out.WriteLine();
    }

    protected void AddMissing(JsonLine line)
    {
        line.Begin("not_measured");
        foreach (var (key, reason) in _missing) line.Add(key, reason);
        line.End();
    }

    protected static JsonLine AddRun(JsonLine line, string hardware, TimeSpan took, bool quick) =>
        line.Add("quick", quick).Add("seconds", took.TotalSeconds, 0).Add("load_average", Machine.LoadAverage(), 2).Add("hardware", hardware);

    /// <summary>About three significant digits, or whole numbers with separators.</summary>
    private static string Shown(double? value) => value switch
    {
        null => "-",
        { } v when Math.Abs(v) >= 1000 => v.ToString("#,0", CultureInfo.InvariantCulture),
        { } v when Math.Abs(v) >= 10 => v.ToString("0.#", CultureInfo.InvariantCulture),
        { } v when v != 0 && Math.Abs(v) < 0.001 => v.ToString("0.0e+0", CultureInfo.InvariantCulture),
        { } v => v.ToString("0.###", CultureInfo.InvariantCulture),
    };
}
