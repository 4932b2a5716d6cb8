using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks.Plain;

/// <summary>The environment of a plain loop: what the engine sets for itself, and the same BLAS, so that what is compared is the loop.</summary>
internal static class PlainEnvironment
{
    public static void Give(ProcessStartInfo start, TorchLibrary library)
    {
        foreach (var (name, value) in Variables()) start.Environment.TryAdd(name, value);
        // Debian's alternatives may lead to another flavour than the one that the shim is bound to.
        if (library.Info.Files.FirstOrDefault(file => file.Name.Contains("blas", StringComparison.Ordinal)) is not { } blas) return;
        var folder = Path.GetDirectoryName(blas.Path)!;
        start.Environment["LD_LIBRARY_PATH"] = start.Environment.TryGetValue("LD_LIBRARY_PATH", out var present) && present is { Length: > 0 } ? $"{folder}:{present}" : folder;
    }

    // As native/include/og_torch.h has it under "Before loading".
    private static IEnumerable<(string Name, string Value)> Variables()
    {
        if (Avx512F.IsSupported && Avx512BW.IsSupported) yield return ("OPENBLAS_CORETYPE", "SkylakeX");
        else if (Avx2.IsSupported && Fma.IsSupported) yield return ("OPENBLAS_CORETYPE", "Haswell");
        yield return ("OMP_NUM_THREADS", "1");
        yield return ("OMP_WAIT_POLICY", "passive");
        yield return ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
    }
}
