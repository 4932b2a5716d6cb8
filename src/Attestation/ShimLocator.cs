using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.Attestation;

/// <summary>Where libog_attest.so is looked for, in this order; the first that exists is taken, and refused rather than passed over when it does not fit.</summary>
public static class ShimLocator
{
    public const string FileName = "libog_attest.so";

    /// <summary>Names a file. It comes after an explicit path and before every other place.</summary>
    public const string EnvironmentVariable = "OG_ATTEST_LIBRARY";

    /// <summary>Every place, in order. An explicit path or the variable, when given, is the only one.</summary>
    public static IReadOnlyList<string> Candidates(string? explicitPath) => LibrarySearch.Candidates(FileName, EnvironmentVariable, explicitPath);

    /// <exception cref="ShimLoadException">There is no such file.</exception>
    public static string Find(string? explicitPath) => LibrarySearch.Find(Candidates(explicitPath), tried => new ShimLoadException(
        $"attestation shim {FileName} was not found; {tried}. " +
        $"Build it with 'cmake --workflow --preset attest' or name it in {EnvironmentVariable}."));
}
