using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Points;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One run: the points in order, then the table, then the line of JSON.</summary>
internal static class TorchRun
{
    private static readonly IPoint<BenchContext>[] Points = [new BitsPoint(), new CallPoint(), new ServingPoint(), new GainPoint(), new OverlapPoint()];

    public static Task<int> MainAsync(string[] arguments) => BenchmarkRun.MainAsync(
        "torch", TorchOptions.Help, arguments, () => RunAsync(TorchOptions.Parse(arguments, [.. Points.Select(point => point.Name)])),
        error => error is TorchException or ModelLoadException or AttestationException);

    private static async Task<int> RunAsync(TorchOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var library = TorchLibrary.Load(options.Library);
        var gpu = GpuOf(library, options);
        using var keys = new SealingKeys();
        var figures = new TorchFigures();
        var context = new BenchContext(options, library, keys, figures);
        await Points.RunAsync(options, context, figures);
        figures.Print(library.Info, gpu, TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.ExitCode;
    }

    /// <exception cref="InvalidOperationException">A GPU is asked for that libtorch cannot use.</exception>
    private static TorchDevice? GpuOf(TorchLibrary library, TorchOptions options)
    {
        if (options.Cuda is not { } ordinal) return null;
        var devices = library.Devices(ExecutionDevice.Cuda, out var reason);
        return ordinal < devices.Count ? devices[ordinal] : throw new InvalidOperationException($"--cuda {ordinal}: {(devices.Count == 0 ? reason : $"there are {devices.Count} devices")}");
    }
}
