using System.Diagnostics;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>The checkout that the tests were built in.</summary>
internal static class Repository
{
    private static readonly Lazy<string[]> Tracked = new(ListFiles);

    public static string Root { get; } = FindRoot();

    /// <summary>Files that git tracks or would track, below these folders, relative to the root and sorted; without folders, all of them.</summary>
    public static IEnumerable<string> Files(params string[] folders) =>
        Tracked.Value.Where(file => folders.Length == 0 || folders.Any(folder => file.StartsWith(folder + "/", StringComparison.Ordinal)));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException($"no OpenGradient.Engine.sln above {AppContext.BaseDirectory}");
    }

    private static string[] ListFiles()
    {
        // safe.directory: a checkout may belong to another user than the one who tests it.
        var start = new ProcessStartInfo("git", ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Root, RedirectStandardOutput = true,
        };
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git did not start");
        var names = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        if (git.ExitCode != 0 || names.Length == 0) throw new InvalidOperationException($"git ls-files ended with {git.ExitCode}");
        return [.. names.Where(name => File.Exists(Path.Combine(Root, name))).Distinct().Order(StringComparer.Ordinal)];
    }
}
