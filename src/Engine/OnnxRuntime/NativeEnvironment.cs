using System.Runtime.InteropServices;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>libc calls. .NET keeps its own copy of the environment: only libc's setenv reaches a native library's getenv.</summary>
internal static partial class NativeEnvironment
{
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MallocTrim(nuint pad);

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GnuGetLibcVersion();

    /// <summary>The C library whose mathematical functions the kernels call, for example <c>glibc-2.36</c>.</summary>
    public static string MathLibrary { get; } = DescribeMathLibrary();

    private static string DescribeMathLibrary()
    {
        try
        {
            return $"glibc-{Marshal.PtrToStringUTF8(GnuGetLibcVersion())}";
        }
        catch (EntryPointNotFoundException)
        {
            return "other";
        }
    }

    /// <summary>Whether the variable is set now; what was there before stays unless it is to be replaced.</summary>
    public static bool TrySet(string name, string value, bool replace) => SetEnv(name, value, replace ? 1 : 0) == 0;

    /// <summary>Must come before the library is loaded: from 1.29 on its first environment starts a telemetry thread.</summary>
    public static void DisableTelemetry()
    {
        if (!TrySet("ORT_DISABLE_TELEMETRY", "1", replace: true))
            throw new OnnxRuntimeException("setenv(ORT_DISABLE_TELEMETRY) failed; the library is not loaded without it");
    }

    /// <summary>Gives memory freed by a model's load or unload back to the system; glibc keeps it otherwise (94 MB for a 47 MB model).</summary>
    public static void ReturnFreedMemory()
    {
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another libc than glibc: nothing to trim.
        }
    }
}
