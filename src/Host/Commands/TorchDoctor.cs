using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>libtorch's part of <c>og doctor</c>: needed where a TorchScript model is served, and reported everywhere.</summary>
internal static class TorchDoctor
{
    /// <returns>Whether what the configuration needs is there.</returns>
    public static bool Explain(HostConfiguration configuration, Action<string, string> print)
    {
        try
        {
            var library = configuration.Torch.Load();
            var info = library.Info;
            print("libtorch", $"{info.LibTorch} under libog_torch {info.Version} from {info.Path}");
            foreach (var file in info.Files) print($"  {file.Name}", $"sha-256 {file.Digest}, {file.Path}");
            print("  kernels", $"{info.Kernels}, BLAS {info.Blas}");
            print("  numerics", info.Numerics);
            foreach (var line in info.Warning.Split('\n', StringSplitOptions.RemoveEmptyEntries)) print("  warning", line);
            return Devices(library, configuration.Torch, print);
        }
        catch (TorchException e)
        {
            var isNeeded = TorchEvidence.IsNeeded(configuration);
            print("libtorch", $"{(isNeeded ? "MISSING" : "not here, and no configured model needs it")}: {e.Message}");
            return !isNeeded;
        }
    }

    private static bool Devices(TorchLibrary library, TorchConfiguration configured, Action<string, string> print)
    {
        foreach (var device in library.Devices(ExecutionDevice.Cpu, out _)) print("  cpu", $"{device.Name}, {device.Multiprocessors} processors");
        var gpus = library.Devices(ExecutionDevice.Cuda, out var reason);
        foreach (var gpu in gpus)
            print("  cuda", $"{gpu.Name}, compute capability {gpu.Capability}, {gpu.Multiprocessors} multiprocessors, {gpu.FreeBytes >> 20} of {gpu.TotalBytes >> 20} MiB free, driver {gpu.Driver}; {library.Info.Cuda}");
        if (gpus.Count == 0) print("  cuda", $"not available: {reason}");
        if (configured.Provider != "cuda" || gpus.Count > configured.DeviceId || configured.AllowCpuFallback) return true;
        print("  cuda", $"MISSING: torch.provider is cuda, torch.deviceId is {configured.DeviceId}");
        return false;
    }
}
