using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Hosting.Backends;

/// <summary>The ways into libtorch that this build has.</summary>
internal static class TorchRuntimes
{
    /// <summary>As <c>torch.runtime</c> names them.</summary>
    public static IReadOnlyList<string> Built { get; } =
#if TORCHSHARP
        ["native", "torchSharp"];
#else
        ["native"];
#endif

    /// <exception cref="TorchException">The library cannot be used; the message names it.</exception>
    public static IModelBackend Open(TorchConfiguration configuration)
    {
#if TORCHSHARP
        if (configuration.Runtime == "torchSharp") return new TorchSharp.TorchSharpBackend(new TorchSharp.TorchSharpOptions { AllowTf32 = configuration.AllowTf32 });
#endif
        return new TorchBackend(configuration.Load());
    }
}
