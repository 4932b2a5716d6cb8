using System.Diagnostics;
using System.Globalization;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>The plain C program over ONNX Runtime (benchmarks/native).</summary>
/// <param name="rows">Each row's inputs in the model's order.</param>
internal sealed class PlainProcess(string library, string model, int threads, IEnumerable<byte[][]> rows)
    : BaselineProcess(Executable, rows, data => Start(library, model, threads, data), "onnxruntime")
{
    private const string Executable = "build/release/benchmarks/og_plain";

    /// <summary>The best of the batches 1, 2, 4 ... 256, visited twice for <paramref name="seconds"/> each.</summary>
    public PlainWindow Search(double seconds) => Measure(FormattableString.Invariant($"search {seconds:R}"));

    public PlainWindow Static(int batch, double seconds) => Measure(FormattableString.Invariant($"static {batch} {seconds:R}"));

    public PlainWindow Unbatched(int callers, double seconds) => Measure(FormattableString.Invariant($"unbatched {callers} {seconds:R}"));

    /// <summary>One thread; its CPU time, exact percentiles. Sleeps <paramref name="gap"/> before each call.</summary>
    public PlainWindow Loop(int batch, long calls, TimeSpan gap = default) => Measure(FormattableString.Invariant($"loop {batch} {calls} {(long)gap.TotalMicroseconds}"));

    private static ProcessStartInfo Start(string library, string model, int threads, string data) => File.Exists(Executable)
        ? new ProcessStartInfo(Executable, [library, model, threads.ToString(CultureInfo.InvariantCulture), data])
        : throw new InvalidOperationException($"{Executable} does not exist; build it with 'cmake --preset release && cmake --build --preset release'");
}
