using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Kernels.Interop;

/// <summary>The one place where a native status becomes an exception.</summary>
internal static class KernelStatus
{
    private const int Ok = 0;

    /// <summary>The statuses of og_kernels.h, in its order.</summary>
    private static readonly string[] Names =
    [
        "ok", "a null argument", "out of range", "an unknown tensor", "a wrong shape", "a missing tensor", "out of memory", "unavailable on this machine",
        "called in the wrong order", "the operating system refused",
    ];

    /// <exception cref="TokenRuntimeException">The status is not OK.</exception>
    public static void Check(int status, in NativeError error)
    {
        if (status == Ok) return;
        var name = status > 0 && status < Names.Length ? Names[status] : $"status {status}";
        var text = NativeError.Describe(error);
        throw new TokenRuntimeException(text.Length > 0 ? $"the kernels refused: {name}: {text}" : $"the kernels refused: {name}");
    }
}
