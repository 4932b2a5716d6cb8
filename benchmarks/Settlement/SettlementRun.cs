using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Benchmarks.Settlement.Points;
using OpenGradient.Engine.Benchmarks.Settlement.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks.Settlement;

/// <summary>One run: the points in order, then the table, then the line of JSON.</summary>
internal static class SettlementRun
{
    private const int Ok = 0, CheckFailed = 1, NotRun = 2;

    // The disk alone comes first; what fills it comes last.
    private static readonly IPoint[] Points = [new DurablePoint(), new ThroughputPoint(), new GapPoint(), new GasPoint(), new GrowthPoint()];

    public static async Task<int> MainAsync(string[] arguments)
    {
        if (arguments.Contains("--help"))
        {
            Console.WriteLine(RunOptions.Help);
            return Ok;
        }

        try
        {
            return await RunAsync(RunOptions.Parse(arguments, [.. Points.Select(point => point.Name)]));
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or IOException or TimeoutException or OnnxRuntimeException or ModelLoadException or AttestationException)
        {
            Console.Error.WriteLine($"settlement: {error.Message}");
            return NotRun;
        }
    }

    private static async Task<int> RunAsync(RunOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var figures = new Figures();
        var context = new BenchContext(options, figures);
        foreach (var point in Points.Where(point => options.Runs(point.Name)))
        {
            var load = new MachineShare();
            await point.RunAsync(context);
            var line = load.Describe(point.Name);
            figures.Text("machine", line);
            Console.Error.WriteLine(line);
        }

        figures.Print(Machine.Hardware(Disk.Describe(options.Folder)), TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.Failed == 0 ? Ok : CheckFailed;
    }
}
