using System.Globalization;
using OpenGradient.Engine.Benchmarks.Report;

namespace OpenGradient.Engine.Benchmarks.Settlement.Report;

/// <summary>Milliseconds.</summary>
internal readonly record struct Spread(double P50, double P99);

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class Figures() : RunFigures("point", "what")
{
    public static readonly int[] Writers = [1, 16, 256];
    public static readonly int[] Rates = [10, 1_000, 10_000];
    public static readonly string[] Stages = ["executed", "durable", "verified", "anchored", "final"];

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

    /// <summary>One row of the table. <paramref name="atLeast"/>: whether more is better; null states no reach.</summary>
    public void Row(string point, string what, double? measured, string unit, double? reach = null, bool atLeast = false, string note = "") =>
        AddRow([point, what], measured, unit, reach, atLeast, note);

    public void Print(string hardware, TimeSpan took, bool quick)
    {
        PrintTable($"Settlement. {hardware}", took, quick);
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

        line.End().Add("proof_ms_at_10m", ProofMsAt10M);
        AddMissing(line);
        line.Add("checked", Checked).Add("failed", Failed);
        AddRun(line, hardware, took, quick).Add("commit", Machine.Commit()).Print();
    }

    private static void ByWriters(JsonLine line, string key, Dictionary<int, double?> values, int digits)
    {
        line.Begin(key);
        foreach (var writers in Writers) line.Add(writers.ToString(CultureInfo.InvariantCulture), values.GetValueOrDefault(writers), digits);
        line.End();
    }
}
