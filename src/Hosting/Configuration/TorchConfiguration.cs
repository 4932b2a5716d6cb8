using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>How TorchScript models are executed. Read when the first of them is loaded: a host without one needs no libtorch.</summary>
public sealed record TorchConfiguration
{
    /// <summary><c>native</c>, libog_torch; or <c>torchSharp</c>, where the build has it (src/TorchSharp/README.md).</summary>
    public string Runtime { get; init; } = "native";

    /// <summary>Path of libog_torch.so; null looks in the documented places.</summary>
    public string? Library { get; init; }

    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary>Ordinal of the GPU.</summary>
    public int DeviceId { get; init; }

    /// <summary>Whether the CPU may serve where CUDA was asked for and is absent.</summary>
    public bool AllowCpuFallback { get; init; }

    /// <summary>Whether a GPU may round the factors of float products to 10 bits. Off: faster, and other bits.</summary>
    public bool AllowTf32 { get; init; }

    /// <summary>Whether operators that are not deterministic run; otherwise a call that has one fails.</summary>
    public bool AllowNondeterministic { get; init; }

    /// <summary>Concurrent backend calls per model; 0 for one per core, or 2 on a GPU.</summary>
    public int Workers { get; init; }

    /// <exception cref="TorchException">The library cannot be used; the message names it.</exception>
    public TorchLibrary Load() => TorchLibrary.Load(Library, new TorchSettings { AllowTf32 = AllowTf32, AllowNondeterministic = AllowNondeterministic });

    internal static void Check(HostConfiguration configuration, List<string> errors)
    {
        var torch = configuration.Torch;
        if (!TorchRuntimes.Built.Contains(torch.Runtime)) errors.Add($"torch.runtime: '{torch.Runtime}' is not in this build; {string.Join(" and ", TorchRuntimes.Built)} {(TorchRuntimes.Built.Count == 1 ? "is" : "are")}");
        if (torch.Provider is not ("cpu" or "cuda")) errors.Add($"torch.provider: '{torch.Provider}' is neither cpu nor cuda");
        if (torch.DeviceId is < 0 or > 63) errors.Add("torch.deviceId: between 0 and 63");
        if (torch.Workers is < 0 or > 64) errors.Add("torch.workers: between 0 and 64");
        for (var i = 0; i < configuration.Models.Count; i++)
            if (configuration.Models[i].Backend is not (null or "onnxRuntime" or "torch")) errors.Add($"models[{i}].backend: '{configuration.Models[i].Backend}' is neither onnxRuntime nor torch");
    }
}
