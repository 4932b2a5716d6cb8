using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A test of the built benchmark; this project does not build it, the solution does.</summary>
public sealed class BenchmarkFactAttribute : FactAttribute
{
    public static readonly string Executable = Repository.At("artifacts", "bin", "OpenGradient.Engine.Benchmarks", "release", "OpenGradient.Engine.Benchmarks");

    public BenchmarkFactAttribute() => Skip = File.Exists(Executable) && File.Exists(Repository.At("build", "release", "benchmarks", "og_plain"))
        ? null
        : "the benchmark is not built: dotnet build -c Release, cmake --build --preset release";
}

public sealed class BenchmarkTests
{
    private static readonly string[] Keys =
    [
        "call_overhead_ratio", "vs_static_ratio", "receipt_tax", "vs_unbatched_ratio", "idle_added_us", "idle_added_with_receipt_us",
        "allocated_bytes_per_request", "noop_requests_per_second", "http_ratio", "alignment_tax", "replayed", "replay_mismatches",
    ];

    [BenchmarkFact]
    public async Task Engine_OnePointQuick_EndsWithOneLineOfJsonWithEveryKey()
    {
        await using var run = await Child.Start(BenchmarkFactAttribute.Executable, ["--quick", "--only", "allocation"]);
        Assert.True(await run.Exit(TimeSpan.FromMinutes(10)) == 0, run.Output + run.Error);

        using var line = JsonDocument.Parse(run.Output.TrimEnd().Split('\n')[^1]);
        Assert.Equal(Keys, line.RootElement.EnumerateObject().Take(Keys.Length).Select(property => property.Name));
        foreach (var key in Keys[..3]) Assert.Equal(["digits", "encoder", "resnet"], line.RootElement.GetProperty(key).EnumerateObject().Select(property => property.Name));
        Assert.Equal(JsonValueKind.Number, line.RootElement.GetProperty("allocated_bytes_per_request").ValueKind);
        Assert.Equal(JsonValueKind.Null, line.RootElement.GetProperty("http_ratio").ValueKind);
        Assert.True(line.RootElement.GetProperty("answers_verified").GetInt64() > 0);
        Assert.Equal(0, line.RootElement.GetProperty("answers_failed").GetInt64());
    }

    [BenchmarkFact]
    public async Task Engine_UnknownPoint_IsRefusedByName()
    {
        await using var run = await Child.Start(BenchmarkFactAttribute.Executable, ["--only", "calls,nonsense"]);
        Assert.Equal(2, await run.Exit());
        Assert.Contains("--only: 'calls,nonsense'", run.Error);
    }
}
