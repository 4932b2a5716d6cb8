using System.Text.Json;
using OpenGradient.Engine.Benchmarks.Settlement.Processes;

namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>What an anchor costs, from the contract's own table, which measures it on a node beside its floor.</summary>
internal sealed class GasPoint : IPoint<BenchContext>
{
    private const double MostOverFloor = 1.25;
    private const string Script = "contracts/gas-table.mjs", Snapshot = "contracts/gas.json";

    public string Name => "gas";

    public async Task RunAsync(BenchContext context)
    {
        var figures = context.Figures;
        if (!File.Exists(Script))
        {
            FromSnapshot(figures, $"{Script} does not exist");
            return;
        }

        try
        {
            var (exit, said) = await ChildProcess.RunAsync("node", [Script, "--json"], TimeSpan.FromSeconds(context.Options.Quick ? 25 : 300));
            var last = said.TrimEnd().Split('\n')[^1];
            if (exit != 0)
            {
                FromSnapshot(figures, $"{Script} ended with {exit}: {last}");
                return;
            }

            using var line = JsonDocument.Parse(last);
            (figures.GasPerAnchor, figures.GasFloor) = (line.RootElement.GetProperty("gas_per_anchor").GetDouble(), line.RootElement.GetProperty("gas_floor").GetDouble());
            figures.Row("gas", "gas per anchor", figures.GasPerAnchor, "gas", MostOverFloor * figures.GasFloor, note: FormattableString.Invariant($"floor {figures.GasFloor:0}, {figures.GasPerAnchor / figures.GasFloor:0.000} times it"));
            if (line.RootElement.TryGetProperty("gas_table", out var table)) figures.Text("gas", table.GetRawText());
        }
        catch (Exception failure) when (failure is TimeoutException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            FromSnapshot(figures, $"{Script}: {failure.Message}");
        }
    }

    /// <summary>What the contract's tests hold: the figures themselves, or in an older snapshot the anchor alone.</summary>
    private static void FromSnapshot(Report.Figures figures, string why)
    {
        using var snapshot = JsonDocument.Parse(File.ReadAllBytes(Snapshot));
        figures.GasPerAnchor = Number("gas_per_anchor") ?? Number("anchor");
        figures.GasFloor = Number("gas_floor");
        figures.Row("gas", "gas per anchor", figures.GasPerAnchor, "gas", MostOverFloor * figures.GasFloor, note: $"from {Snapshot}, which the contract's tests hold; {why}");
        if (figures.GasFloor is null) figures.Missing("gas_floor", why);

        double? Number(string name) => snapshot.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
    }
}
