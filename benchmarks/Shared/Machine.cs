using System.Diagnostics;
using System.Globalization;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>What a figure cannot be read without.</summary>
internal static class Machine
{
    /// <summary>For example <c>2 x AMD EPYC, 7.8 GiB, x64-avx512f</c>.</summary>
    public static string Hardware(string instructionSet)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30);
        return string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} x {ProcessorName()}, {memory:0.0} GiB, {instructionSet}");
    }

    /// <summary>Processes that wanted a core in the last minute: above the number of cores, others' work is in the figures.</summary>
    public static double LoadAverage() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>
    /// The commit's short name, with <c>+</c> when tracked files differ from it; outside a repository what OG_COMMIT says (a
    /// publish that was carried elsewhere), or <c>unknown</c>.
    /// </summary>
    public static string Commit()
    {
        if (Environment.GetEnvironmentVariable("OG_COMMIT") is { Length: > 0 } carried) return carried;
        var commit = Git("rev-parse", "--short=12", "HEAD");
        if (commit.Length == 0) return "unknown";
        return Git("status", "--porcelain", "--untracked-files=no").Length == 0 ? commit : commit + "+";
    }

    private static string ProcessorName() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "processor of unknown name";

    private static string Git(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? output : "";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }
}
