namespace OpenGradient.Engine.Native;

/// <summary>Where a native library of this project is looked for; the first place that has the file is taken.</summary>
internal static class LibrarySearch
{
    /// <summary>Every place, in order. An explicit path or the variable, when given, is the only one.</summary>
    public static IReadOnlyList<string> Candidates(string fileName, string environmentVariable, string? explicitPath)
    {
        if (!string.IsNullOrEmpty(explicitPath)) return [Path.GetFullPath(explicitPath)];
        if (Environment.GetEnvironmentVariable(environmentVariable) is { Length: > 0 } named) return [Path.GetFullPath(named)];

        var places = new List<string> { Path.Combine(AppContext.BaseDirectory, fileName) };
        // A build inside the source tree: any folder above the application may be the repository's root.
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            places.Add(Path.Combine(folder.FullName, "build", "release", "native", fileName));
        return places;
    }

    /// <param name="refusal">What is thrown where no candidate exists, given the words <c>tried …</c>.</param>
    public static string Find(IReadOnlyList<string> candidates, Func<string, Exception> refusal) =>
        candidates.FirstOrDefault(File.Exists) ?? throw refusal($"tried {string.Join(", ", candidates)}");
}
