using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.LanguageModels.Kernels;

/// <summary>Where libog_kernels.so is looked for, in this order; the first that exists is taken, and refused rather than passed over when it does not fit.</summary>
public static class KernelLibraryLocator
{
    public const string FileName = "libog_kernels.so";

    /// <summary>Names a file. It comes after an explicit path and before every other place.</summary>
    public const string EnvironmentVariable = "OG_KERNELS_LIBRARY";

    /// <summary>Every place, in order. An explicit path or the variable, when given, is the only one.</summary>
    public static IReadOnlyList<string> Candidates(string? explicitPath) => LibrarySearch.Candidates(FileName, EnvironmentVariable, explicitPath);

    /// <exception cref="KernelLibraryException">There is no such file.</exception>
    public static string Find(string? explicitPath) => LibrarySearch.Find(Candidates(explicitPath), tried => new KernelLibraryException(
        $"the kernel library {FileName} was not found; {tried}. " +
        $"Build it with 'cmake --preset release && cmake --build --preset release --target og_kernels' or name it in {EnvironmentVariable}."));
}

/// <summary>libog_kernels.so is missing, or is not the one that this host needs. The message names the path.</summary>
public sealed class KernelLibraryException : Exception
{
    public KernelLibraryException(string message) : base(message) { }

    public KernelLibraryException() { }

    public KernelLibraryException(string message, Exception innerException) : base(message, innerException) { }

    internal KernelLibraryException(string path, string problem) : base($"the kernel library '{path}' cannot be used: {problem}") { }
}
