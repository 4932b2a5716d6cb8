using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Torch;

/// <summary>
/// The environment that libtorch's libraries read in their constructors, and how they are loaded. .NET keeps its own copy of
/// the environment: only libc's setenv reaches them. What the operator has set stays.
/// </summary>
internal static partial class TorchEnvironment
{
    // bits/dlfcn.h: every symbol is looked up now, so that a libtorch that does not fit fails here and not in a call.
    private const int Now = 2;

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint DlOpen(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dlerror")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint DlError();

    /// <summary>What is set before the library is loaded, where nothing else is set (og_torch.h, "Before loading").</summary>
    public static IEnumerable<(string Name, string Value)> Variables()
    {
        // OpenBLAS 0.3.21 takes processors newer than itself for ones of twenty years ago, 5 to 10 times slower.
        if (Avx512F.IsSupported && Avx512BW.IsSupported) yield return ("OPENBLAS_CORETYPE", "SkylakeX");
        else if (Avx2.IsSupported && Fma.IsSupported) yield return ("OPENBLAS_CORETYPE", "Haswell");
        // Pools that start before anybody sets threads stay small; each call says how many it wants.
        yield return ("OMP_NUM_THREADS", "1");
        // Threads of one call that spin take the cores from other calls.
        yield return ("OMP_WAIT_POLICY", "passive");
        // Without it cuBLAS is not deterministic.
        yield return ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
    }

    /// <summary>Sets the variables and loads the library.</summary>
    /// <exception cref="TorchException">It cannot be loaded; the message is the dynamic linker's.</exception>
    public static nint Load(string path)
    {
        foreach (var (name, value) in Variables())
            if (!NativeEnvironment.TrySet(name, value, replace: false)) throw new TorchException($"setenv({name}) failed; libtorch is not loaded without it");
        var library = DlOpen(path, Now);
        if (library == 0) throw new TorchException(path, $"it could not be loaded: {Marshal.PtrToStringUTF8(DlError())?.ReplaceLineEndings(" ")}");
        return library;
    }
}
