using System.Globalization;
using OpenGradient.Engine.Benchmarks.Report;

namespace OpenGradient.Engine.Benchmarks.Settlement.Report;

/// <summary>Milliseconds.</summary>
internal readonly record struct Spread(double P50, double P99);

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class Figures
{
    public static readonly int[] Writers = [1, 16, 256];
    public static readonly int[] Rates = [10, 1_000, 10_000];
    public static readonly string[] Stages = ["executed", "durable", "verified", "anchored", "final"];

    private readonly List<string[]> _rows = [];
    private readonly List<(string Section, string Line)> _texts = [];
    private readonly Dictionary<string, string> _missing = [];

    /// <summary>Records, receipts and statements that were counted and found again as they should be.</summary>
    public long Checked { get; private set; }

    public long Failed { get; private set; }

    /// <summary>By writers.</summary>
    public Dictionary<int, double?> DurablePerSecond { get; } = [];

    /// <summary>By writers, milliseconds.</summary>
    public Dictionary<int, double?> DurableP99 { get; } = [];

    /// <summary>By writers.</summary>
    public Dictionary<int, double?> GroupCommitRatio { get; } = [];

    public double? ReceiptsPerSecond { get; set; }

    public double? GasPerAnchor { get; set; }

    public double? GasFloor { get; set; }

    /// <summary>By stage and receipts per second.</summary>
    public Dictionary<(string Stage, int Rate), Spread> Gap { get; } = [];

    public double? ProofMsAt10M { get; set; }

    /// <summary>Something counted did or did not hold.</summary>
    public void Count(long held, long failed)
    {
        Checked += held;
        Failed += failed;
    }

    /// <summary>One row of the table. <paramref name="atLeast"/>: whether more is better; null states no reach.</summary>
    public void Row(string point, string what, double? measured, string unit, double? reach = null, bool atLeast = false, string note = "")
    {
        var verdict = reach is null || measured is null ? "" : (atLeast ? measured >= reach : measured <= reach) ? "reached" : "missed";
        _rows.Add([point, what, reach is null ? "" : $"{(atLeast ? ">=" : "<=")} {Text(reach)}", $"{Text(measured)} {unit}".TrimEnd(), verdict, note]);
    }

    public void Text(string section, string line) => _texts.Add((section, line));

    /// <summary>Says why a key stays null.</summary>
    public void Missing(string key, string reason)
    {
        _missing[key] = reason;
        Text("not measured", $"{key}: {reason}");
    }

    public void Print(string hardware, TimeSpan took, bool quick)
    {
        Console.Out.WriteLine($"Settlement. {hardware}, .NET {Environment.Version}, commit {Machine.Commit()}, {took.TotalSeconds:0} s{(quick ? ", QUICK: a look, not a measurement" : "")}.");
        Console.Out.WriteLine();
        TextTable.Print([["point", "what", "to reach", "measured", "", ""], .. _rows]);
        foreach (var section in _texts.GroupBy(text => text.Section))
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{section.Key}:");
            foreach (var (_, line) in section) Console.Out.WriteLine($"  {line}");
        }

        Console.Out.WriteLine();
        PrintJson(hardware, took, quick);
    }

    private void PrintJson(string hardware, TimeSpan took, bool quick)
    {
        using var line = new JsonLine();
        ByWriters(line, "durable_per_second", DurablePerSecond, 0);
        ByWriters(line, "durable_p99_ms", DurableP99, 3);
        ByWriters(line, "group_commit_ratio", GroupCommitRatio, 3);
        line.Add("receipts_per_second", ReceiptsPerSecond, 0).Add("gas_per_anchor", GasPerAnchor, 0).Add("gas_floor", GasFloor, 0);
        line.Begin("gap_ms");
        foreach (var stage in Stages)
        {
            line.Begin(stage);
            foreach (var rate in Rates)
            {
                var known = Gap.TryGetValue((stage, rate), out var gap);
                line.Begin(rate.ToString(CultureInfo.InvariantCulture)).Add("p50", known ? gap.P50 : null, 2).Add("p99", known ? gap.P99 : null, 2).End();
            }

            line.End();
        }

        line.End().Add("proof_ms_at_10m", ProofMsAt10M).Begin("not_measured");
        foreach (var (key, reason) in _missing) line.Add(key, reason);
        line.End().Add("checked", Checked).Add("failed", Failed).Add("quick", quick).Add("seconds", took.TotalSeconds, 0)
            .Add("load_average", Machine.LoadAverage(), 2).Add("hardware", hardware).Add("commit", Machine.Commit()).Print();
    }

    private static void ByWriters(JsonLine line, string key, Dictionary<int, double?> values, int digits)
    {
        line.Begin(key);
        foreach (var writers in Writers) line.Add(writers.ToString(CultureInfo.InvariantCulture), values.GetValueOrDefault(writers), digits);
        line.End();
    }

    /// <summary>Four significant digits, or whole numbers with separators.</summary>
    private static string Text(double? value) => value switch
    {
        null => "-",
        { } v when Math.Abs(v) >= 1000 => v.ToString("#,0", CultureInfo.InvariantCulture),
        { } v when Math.Abs(v) >= 10 => v.ToString("0.#", CultureInfo.InvariantCulture),
        { } v => v.ToString("0.###", CultureInfo.InvariantCulture),
    };
}
