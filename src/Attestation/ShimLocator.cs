namespace OpenGradient.Engine.Attestation;

/// <summary>Where libog_attest.so is looked for, in this order; the first that exists is taken, and refused rather than passed over when it does not fit.</summary>
public static class ShimLocator
{
    public const string FileName = "libog_attest.so";

    /// <summary>Names a file. It comes after an explicit path and before every other place.</summary>
    public const string EnvironmentVariable = "OG_ATTEST_LIBRARY";

    /// <summary>Every place, in order. An explicit path or the variable, when given, is the only one.</summary>
    public static IReadOnlyList<string> Candidates(string? explicitPath)
    {
        if (!string.IsNullOrEmpty(explicitPath)) return [Path.GetFullPath(explicitPath)];
        if (Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } named) return [Path.GetFullPath(named)];

        var places = new List<string> { Path.Combine(AppContext.BaseDirectory, FileName) };
        // A build inside the source tree: any folder above the application may be the repository's root.
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            places.Add(Path.Combine(folder.FullName, "build", "release", "native", FileName));
        return places;
    }

    /// <exception cref="ShimLoadException">There is no such file.</exception>
    public static string Find(string? explicitPath)
    {
        var candidates = Candidates(explicitPath);
        return candidates.FirstOrDefault(File.Exists) ?? throw new ShimLoadException(
            $"attestation shim {FileName} was not found; tried {string.Join(", ", candidates)}. " +
            $"Build it with 'cmake --workflow --preset attest' or name it in {EnvironmentVariable}.");
    }
}
