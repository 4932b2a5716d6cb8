using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Points;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One run: the points in order, then the table, then the line of JSON.</summary>
internal static class TorchRun
{
    private const int Ok = 0, CheckFailed = 1, NotRun = 2;

    private static readonly IPoint[] Points = [new BitsPoint(), new CallPoint(), new ServingPoint(), new GainPoint(), new OverlapPoint()];

    public static async Task<int> MainAsync(string[] arguments)
    {
        if (arguments.Contains("--help"))
        {
            Console.WriteLine(TorchOptions.Help);
            return Ok;
        }

        try
        {
            return await RunAsync(TorchOptions.Parse(arguments, Points.Select(point => point.Name)));
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or IOException or TorchException or ModelLoadException or AttestationException)
        {
            Console.Error.WriteLine($"torch: {error.Message}");
            return NotRun;
        }
    }

    private static async Task<int> RunAsync(TorchOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var library = TorchLibrary.Load(options.Library);
        var gpu = GpuOf(library, options);
        using var keys = new SealingKeys();
        var figures = new TorchFigures();
        var context = new BenchContext(options, library, keys, figures);
        foreach (var point in Points.Where(point => options.Runs(point.Name)))
        {
            var load = new MachineShare();
            await point.RunAsync(context);
            var line = load.Describe(point.Name);
            figures.Text("machine", line);
            Console.Error.WriteLine(line);
        }

        figures.Print(library.Info, gpu, TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.Failed == 0 ? Ok : CheckFailed;
    }

    /// <exception cref="InvalidOperationException">A GPU is asked for that libtorch cannot use.</exception>
    private static TorchDevice? GpuOf(TorchLibrary library, TorchOptions options)
    {
        if (options.Cuda is not { } ordinal) return null;
        var devices = library.Devices(ExecutionDevice.Cuda, out var reason);
        return ordinal < devices.Count ? devices[ordinal] : throw new InvalidOperationException($"--cuda {ordinal}: {(devices.Count == 0 ? reason : $"there are {devices.Count} devices")}");
    }
}
