namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// Where the library is looked for. An explicit path or <c>OG_ORT_LIBRARY</c> is final: when it names nothing, nothing else is
/// tried, so that an operator never runs another library than the one he named. Otherwise, in order: the application folder,
/// its <c>runtimes/linux-x64/native</c> (where the NuGet packages put it), <c>node_modules/onnxruntime-node</c> up the tree from
/// the application folder and from the current one, and the system's <c>libonnxruntime.so.1</c>.
/// </summary>
public static class OnnxRuntimeLocator
{
    public const string EnvironmentVariable = "OG_ORT_LIBRARY";
    private const string VersionedName = "libonnxruntime.so.1";

    // The NuGet packages ship the unversioned name.
    private static readonly string[] Names = [VersionedName, "libonnxruntime.so"];

    /// <summary>The path to load; <c>libonnxruntime.so.1</c> alone leaves the search to the dynamic linker.</summary>
    public static string Locate(string? explicitPath)
    {
        explicitPath ??= Environment.GetEnvironmentVariable(EnvironmentVariable);
        if (!string.IsNullOrEmpty(explicitPath)) return Path.GetFullPath(explicitPath);
        return Candidates().FirstOrDefault(File.Exists) ?? VersionedName;
    }

    /// <summary>Every file tried, in order, before the dynamic linker is asked.</summary>
    public static IEnumerable<string> Candidates()
    {
        var application = AppContext.BaseDirectory;
        foreach (var name in Names) yield return Path.Combine(application, name);
        foreach (var name in Names) yield return Path.Combine(application, "runtimes", "linux-x64", "native", name);
        foreach (var start in new[] { application, Environment.CurrentDirectory })
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
                foreach (var candidate in InNodeModules(folder)) yield return candidate;
    }

    private static IEnumerable<string> InNodeModules(DirectoryInfo folder)
    {
        var bin = Path.Combine(folder.FullName, "node_modules", "onnxruntime-node", "bin");
        if (!Directory.Exists(bin)) yield break;
        foreach (var napi in Directory.GetDirectories(bin, "napi-v*").OrderDescending(StringComparer.Ordinal))
            yield return Path.Combine(napi, "linux", "x64", VersionedName);
    }
}
