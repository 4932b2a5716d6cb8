using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Points;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One run: the points in order, then the table, then the line of JSON.</summary>
internal static class EngineRun
{
    // What everything else is read by comes first; what heats the machine longest comes last.
    private static readonly IPoint<BenchContext>[] Points =
    [
        new CallOverheadPoint(), new IdlePoint(), new ServingPoint(), new AllocationPoint(), new NoopPoint(), new HttpPoint(),
        new AlignmentPoint(), new GrowthPoint(), new ReplayPoint(),
    ];

    public static Task<int> MainAsync(string[] arguments) => BenchmarkRun.MainAsync(
        "engine", EngineOptions.Help, arguments, () => RunAsync(EngineOptions.Parse(arguments, [.. Points.Select(point => point.Name)])),
        error => error is OnnxRuntimeException or ModelLoadException or AttestationException);

    private static async Task<int> RunAsync(EngineOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var library = OnnxRuntimeLibrary.Load(options.Library);
        using var keys = new SealingKeys();
        var figures = new Figures();
        var context = new BenchContext(options, library, keys, Workloads.Of(options), figures);
        await Points.RunAsync(options, context, figures);
        figures.Print(Machine.Hardware(library.Info.InstructionSet), library.Info.Version, TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.ExitCode;
    }
}
