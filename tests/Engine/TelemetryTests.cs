using System.Diagnostics;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class TelemetryTests
{
    /// <summary>A process of its own with an empty home and temporary folder loads the library, serves, and reports what it found in /proc.</summary>
    [Fact]
    public async Task Serving_InAProcess_LeavesNoTelemetryFileThreadOrSocket()
    {
        using var home = new TempFolder();
        using var temporary = new TempFolder();
        var (exitCode, output) = await Serve(home.Path, temporary.Path);
        Assert.True(exitCode == 0, output);
        Assert.Contains("setenv=1", output);
        Assert.Contains("sockets=0", output);
        Assert.Contains("threads=0", output);
        Assert.Contains("deleted-or-foreign-files=0", output);
        Assert.Empty(Directory.GetFileSystemEntries(home.Path, "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFileSystemEntries(temporary.Path, "*", SearchOption.AllDirectories));
    }

    private static async Task<(int ExitCode, string Output)> Serve(string home, string temporary)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(TelemetryProbe).Assembly.Location);
        start.ArgumentList.Add(TelemetryProbe.Command);
        start.Environment["OG_ORT_LIBRARY"] = TestFiles.Library.Info.Path;
        start.Environment["HOME"] = home;
        start.Environment["XDG_CACHE_HOME"] = Path.Combine(home, "cache");
        start.Environment["TMPDIR"] = temporary;
        // .NET's own diagnostics would open a socket and files of their own in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment.Remove("ORT_DISABLE_TELEMETRY");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }
}
