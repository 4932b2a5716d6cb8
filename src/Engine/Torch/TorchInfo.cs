using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Torch;

/// <summary>A file of the process whose code executes TorchScript.</summary>
/// <param name="Name">Its name without version endings, for example <c>libtorch_cpu.so</c>.</param>
public sealed record TorchFile(string Name, string Path, Hash256 Digest);

/// <summary>Which library answered, for <c>og doctor</c> and the runtime fingerprint.</summary>
/// <param name="Path">The file of libog_torch.so.</param>
/// <param name="Version">Its own version.</param>
/// <param name="LibTorch">libtorch's version, for example <c>1.13.1</c>.</param>
/// <param name="Files">libog_torch.so, libtorch and its BLAS.</param>
/// <param name="Digest">Over names and digests of all of them, in the order of their names.</param>
/// <param name="Kernels">The instruction set that libtorch's own kernels use.</param>
/// <param name="Blas">Kind, version, core and threads of the BLAS.</param>
/// <param name="Numerics">Settings that can change bits, <c>name=value</c> joined by commas.</param>
/// <param name="Cuda">Versions of CUDA and cuDNN; empty in a build without CUDA.</param>
/// <param name="Warning">What makes this process slow or irreproducible, in sentences; empty when there is nothing to say.</param>
public sealed record TorchInfo(
    string Path, string Version, string LibTorch, IReadOnlyList<TorchFile> Files, Hash256 Digest, string Kernels, string Blas, string Numerics, string Cuda, string Warning);

/// <summary>A device that executes, or why there is none.</summary>
/// <param name="Name">The GPU's or processor's model name.</param>
/// <param name="Capability">Compute capability, for example <c>9.0</c>; empty on the CPU.</param>
/// <param name="Multiprocessors">Streaming multiprocessors; on the CPU, processors that this process may use.</param>
/// <param name="Driver">The driver's CUDA version, for example <c>13.0</c>; empty on the CPU.</param>
/// <param name="TotalBytes">The device's memory.</param>
/// <param name="FreeBytes">Of it, free now.</param>
public sealed record TorchDevice(string Name, string Capability, int Multiprocessors, string Driver, ulong TotalBytes, ulong FreeBytes);

/// <summary>How libtorch computes, for the whole process. The default is exact and reproducible; everything else is in the fingerprint.</summary>
public sealed record TorchSettings
{
    /// <summary>Whether a GPU may round the factors of float products to 10 bits.</summary>
    public bool AllowTf32 { get; init; }

    /// <summary>Whether a GPU may add up products of half precision in half precision.</summary>
    public bool AllowReducedReductions { get; init; }

    /// <summary>Whether operators that are not deterministic run; otherwise the call that has one fails and says so.</summary>
    public bool AllowNondeterministic { get; init; }
}
