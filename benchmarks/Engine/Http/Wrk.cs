using System.Diagnostics;
using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.Http;

/// <summary>One run of wrk. Latencies in microseconds.</summary>
internal sealed record WrkWindow(long Requests, double Seconds, long Errors, double P50, double P99)
{
    public double Rate => Requests / Seconds;
}

/// <summary>The load generator wrk, one thread of it, over requests that this program wrote to files.</summary>
internal sealed class Wrk : IDisposable
{
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "Http", "requests.lua");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-bench-");

    /// <summary>Null when wrk is not installed.</summary>
    public static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "wrk")).FirstOrDefault(File.Exists);

    /// <summary>Writes requests once; the name is theirs in <see cref="Run"/>.</summary>
    public void Write(string name, IEnumerable<byte[]> requests)
    {
        using var file = File.Create(Path.Combine(_folder.FullName, name));
        foreach (var request in requests)
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(request.Length.ToString(CultureInfo.InvariantCulture) + "\n"));
            file.Write(request);
        }
    }

    /// <exception cref="InvalidOperationException">wrk failed, or an answer was no success.</exception>
    public WrkWindow Run(string name, int port, int connections, double seconds)
    {
        // wrk takes whole seconds only.
        var duration = ((int)Math.Ceiling(seconds)).ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("wrk", ["-t1", $"-c{connections}", $"-d{duration}s", "-s", Script, $"http://127.0.0.1:{port}/", "--", Path.Combine(_folder.FullName, name)])
        {
            RedirectStandardOutput = true,
        };
        using var wrk = Process.Start(start)!;
        var output = wrk.StandardOutput.ReadToEnd();
        wrk.WaitForExit();
        var words = output.Split('\n').FirstOrDefault(line => line.StartsWith("og ", StringComparison.Ordinal))?.Split(' ')
            ?? throw new InvalidOperationException($"wrk ended with {wrk.ExitCode} and said: {output}");
        var numbers = words[1..].Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        var window = new WrkWindow((long)numbers[0], numbers[1] / 1e6, (long)numbers[2], numbers[3], numbers[4]);
        return window.Errors == 0 && window.Requests > 0 ? window : throw new InvalidOperationException($"wrk, {name}: {window.Errors} of {window.Requests} requests failed");
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
