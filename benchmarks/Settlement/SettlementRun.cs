using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Benchmarks.Settlement.Points;
using OpenGradient.Engine.Benchmarks.Settlement.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks.Settlement;

/// <summary>One run: the points in order, then the table, then the line of JSON.</summary>
internal static class SettlementRun
{
    // The disk alone comes first; what fills it comes last.
    private static readonly IPoint<BenchContext>[] Points = [new DurablePoint(), new ThroughputPoint(), new GapPoint(), new GasPoint(), new GrowthPoint()];

    public static Task<int> MainAsync(string[] arguments) => BenchmarkRun.MainAsync(
        "settlement", RunOptions.Help, arguments, () => RunAsync(RunOptions.Parse(arguments, [.. Points.Select(point => point.Name)])),
        error => error is TimeoutException or OnnxRuntimeException or ModelLoadException or AttestationException);

    private static async Task<int> RunAsync(RunOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var figures = new Figures();
        var context = new BenchContext(options, figures);
        await Points.RunAsync(options, context, figures);
        figures.Print(Machine.Hardware(Disk.Describe(options.Folder)), TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.ExitCode;
    }
}
