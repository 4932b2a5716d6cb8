using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Torch;

/// <summary>
/// Where libog_torch.so is looked for, in this order; the first that exists is taken, and refused rather than passed over when
/// it does not fit. It finds libtorch by itself: it was built against one.
/// </summary>
public static class TorchLibraryLocator
{
    public const string FileName = "libog_torch.so";

    /// <summary>Names a file. It comes after an explicit path and before every other place.</summary>
    public const string EnvironmentVariable = "OG_TORCH_LIBRARY";

    /// <summary>Every place, in order. An explicit path or the variable, when given, is the only one.</summary>
    public static IReadOnlyList<string> Candidates(string? explicitPath) => LibrarySearch.Candidates(FileName, EnvironmentVariable, explicitPath);

    /// <exception cref="TorchException">There is no such file.</exception>
    public static string Find(string? explicitPath) => LibrarySearch.Find(Candidates(explicitPath), tried => new TorchException(
        $"{FileName} was not found; {tried}. " +
        $"Build it where libtorch is installed with 'cmake --preset release && cmake --build --preset release --target og_torch' or name it in {EnvironmentVariable}."));
}
