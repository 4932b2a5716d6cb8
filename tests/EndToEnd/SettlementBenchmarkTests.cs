using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A test of the built settlement benchmark; this project does not build it, the solution does.</summary>
public sealed class SettlementBenchmarkFactAttribute : FactAttribute
{
    public static readonly string Executable = Repository.At("artifacts", "bin", "OpenGradient.Engine.SettlementBench", "release", "OpenGradient.Engine.SettlementBench");

    public SettlementBenchmarkFactAttribute() => Skip = File.Exists(Executable) ? null : "the benchmark is not built: dotnet build -c Release";
}

public sealed class SettlementBenchmarkTests
{
    // A quick run is under a minute where nothing else runs.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly string[] Keys =
    [
        "durable_per_second", "durable_p99_ms", "group_commit_ratio", "receipts_per_second", "gas_per_anchor", "gas_floor", "gap_ms", "proof_ms_at_10m",
    ];

    private static readonly string[] Writers = ["1", "16", "256"], Rates = ["10", "1000", "10000"], Stages = ["executed", "durable", "verified", "anchored", "final"];

    [SettlementBenchmarkFact]
    public async Task Settlement_TwoPointsQuick_EndsWithOneLineOfJsonWithEveryKey()
    {
        using var folder = new TemporaryFolder();
        await using var run = await Child.Start(SettlementBenchmarkFactAttribute.Executable, ["--quick", "--only", "durable,throughput", "--folder", folder.At("disk")]);
        Assert.True(await run.Exit(Limit) == 0, run.Output + run.Error);

        using var line = JsonDocument.Parse(run.Output.TrimEnd().Split('\n')[^1]);
        var root = line.RootElement;
        Assert.Equal(Keys, root.EnumerateObject().Take(Keys.Length).Select(property => property.Name));
        foreach (var key in Keys[..3])
        {
            Assert.Equal(Writers, Names(root.GetProperty(key)));
            Assert.All(root.GetProperty(key).EnumerateObject(), property => Assert.True(property.Value.GetDouble() > 0, $"{key} {property}"));
        }

        Assert.True(root.GetProperty("receipts_per_second").GetDouble() > 0);
        Assert.Equal(Stages, Names(root.GetProperty("gap_ms")));
        foreach (var stage in root.GetProperty("gap_ms").EnumerateObject())
        {
            Assert.Equal(Rates, Names(stage.Value));
            Assert.All(stage.Value.EnumerateObject(), rate => Assert.Equal(["p50", "p99"], Names(rate.Value)));
        }

        Assert.Equal(JsonValueKind.Null, root.GetProperty("proof_ms_at_10m").ValueKind);
        Assert.True(root.GetProperty("quick").GetBoolean());
        Assert.True(root.GetProperty("checked").GetInt64() > 0);
        Assert.Equal(0, root.GetProperty("failed").GetInt64());
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.At("disk")));
    }

    [SettlementBenchmarkFact]
    public async Task Settlement_UnknownPoint_IsRefusedByName()
    {
        await using var run = await Child.Start(SettlementBenchmarkFactAttribute.Executable, ["--only", "durable,nonsense"]);
        Assert.Equal(2, await run.Exit());
        Assert.Contains("--only: 'durable,nonsense'", run.Error);
    }

    [SettlementBenchmarkFact]
    public async Task Soak_WithoutAHost_SaysSo()
    {
        await using var run = await Child.Start(SettlementBenchmarkFactAttribute.Executable, ["soak", "--og", "nowhere/og"]);
        Assert.Equal(2, await run.Exit());
        Assert.Contains("nowhere/og does not exist", run.Error);
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(property => property.Name);
}
