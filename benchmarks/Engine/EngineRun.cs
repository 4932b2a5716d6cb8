using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Benchmarks.Points;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One run: the points in order, then the table, then the line of JSON.</summary>
internal static class EngineRun
{
    private const int Ok = 0, CheckFailed = 1, NotRun = 2;

    // What everything else is read by comes first; what heats the machine longest comes last.
    private static readonly IPoint[] Points =
    [
        new CallOverheadPoint(), new IdlePoint(), new ServingPoint(), new AllocationPoint(), new NoopPoint(), new HttpPoint(),
        new AlignmentPoint(), new GrowthPoint(), new ReplayPoint(),
    ];

    public static async Task<int> MainAsync(string[] arguments)
    {
        if (arguments.Contains("--help"))
        {
            Console.WriteLine(EngineOptions.Help);
            return Ok;
        }

        try
        {
            return await RunAsync(EngineOptions.Parse(arguments, Points.Select(point => point.Name)));
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or IOException or OnnxRuntimeException or ModelLoadException or AttestationException)
        {
            Console.Error.WriteLine($"engine: {error.Message}");
            return NotRun;
        }
    }

    private static async Task<int> RunAsync(EngineOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var library = OnnxRuntimeLibrary.Load(options.Library);
        using var keys = new SealingKeys();
        var figures = new Figures();
        var context = new BenchContext(options, library, keys, Workload.Catalogue(options), figures);
        foreach (var point in Points.Where(point => options.Runs(point.Name)))
        {
            var load = new MachineShare();
            await point.RunAsync(context);
            var line = load.Describe(point.Name);
            figures.Text("machine", line);
            Console.Error.WriteLine(line);
        }

        figures.Print(Machine.Hardware(library.Info.InstructionSet), library.Info.Version, TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.Failed == 0 ? Ok : CheckFailed;
    }
}
