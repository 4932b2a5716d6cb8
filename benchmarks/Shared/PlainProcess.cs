using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One window of a baseline.</summary>
internal sealed record PlainWindow(int Batch, long Requests, double Seconds, double CpuSeconds, double P50, double P99)
{
    public double Rate => Requests / Seconds;

    public double CpuPerRequest => CpuSeconds / Math.Max(1, Requests);
}

/// <summary>The plain C program (benchmarks/native), driven line by line; it sleeps between commands.</summary>
internal sealed class PlainProcess : IDisposable
{
    private const string Executable = "build/release/benchmarks/og_plain";

    private readonly Process _process;

    /// <param name="rows">Each row's inputs in the model's order: what is asked of the engine, so that both are asked the same.</param>
    public PlainProcess(string library, string model, int threads, IEnumerable<byte[][]> rows)
    {
        if (!File.Exists(Executable)) throw new InvalidOperationException($"{Executable} does not exist; build it with 'cmake --preset release && cmake --build --preset release'");
        var file = Path.GetTempFileName();
        File.WriteAllBytes(file, [.. rows.SelectMany(row => row.SelectMany(input => input))]);
        var start = new ProcessStartInfo(Executable, [library, model, threads.ToString(CultureInfo.InvariantCulture), file])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{Executable} did not start");
        using var hello = JsonDocument.Parse(ReadLine());
        Version = hello.RootElement.GetProperty("onnxruntime").GetString()!;
        File.Delete(file); // it has been read
    }

    /// <summary>ONNX Runtime's version as the library says it.</summary>
    public string Version { get; }

    /// <summary>The best of the batches 1, 2, 4 ... 256, visited twice for <paramref name="seconds"/> each.</summary>
    public PlainWindow Search(double seconds) => Ask(FormattableString.Invariant($"search {seconds:R}"));

    public PlainWindow Static(int batch, double seconds) => Ask(FormattableString.Invariant($"static {batch} {seconds:R}"));

    public PlainWindow Unbatched(int callers, double seconds) => Ask(FormattableString.Invariant($"unbatched {callers} {seconds:R}"));

    /// <summary>All threads share <paramref name="calls"/> calls; timed from the common start to the last end.</summary>
    public PlainWindow Fixed(int batch, long calls) => Ask(FormattableString.Invariant($"fixed {batch} {calls}"));

    /// <summary>One thread; its CPU time, exact percentiles. Sleeps <paramref name="gap"/> before each call.</summary>
    public PlainWindow Loop(int batch, long calls, TimeSpan gap = default) => Ask(FormattableString.Invariant($"loop {batch} {calls} {(long)gap.TotalMicroseconds}"));

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5))) _process.Kill();
        _process.Dispose();
    }

    private PlainWindow Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        using var answer = JsonDocument.Parse(ReadLine());
        var root = answer.RootElement;
        return new PlainWindow(
            root.GetProperty("batch").GetInt32(), root.GetProperty("requests").GetInt64(), root.GetProperty("seconds").GetDouble(),
            root.GetProperty("cpu_seconds").GetDouble(), root.GetProperty("p50_us").GetDouble(), root.GetProperty("p99_us").GetDouble());
    }

    private string ReadLine() =>
        _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{Executable} ended; its error is above");
}
