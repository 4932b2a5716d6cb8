using System.Diagnostics;
using System.Globalization;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks.Plain;

/// <summary>A plain loop over the same archive, in Python or in C++.</summary>
internal sealed class LoopProcess : BaselineProcess
{
    private LoopProcess(string name, RowSet rows, Func<string, ProcessStartInfo> start) : base(name, rows.Rows, start, "torch") { }

    public static LoopProcess Python(TorchOptions options, TorchLibrary library, Workload workload, RowSet rows, int threads) =>
        Start("the plain loop in Python", options.Python, [options.Script], options, library, workload, rows, threads);

    public static LoopProcess Native(TorchOptions options, TorchLibrary library, Workload workload, RowSet rows, int threads) =>
        Start("the plain loop in C++", options.Loop, [], options, library, workload, rows, threads);

    /// <summary>One thread; its CPU time, exact percentiles.</summary>
    public PlainWindow Loop(int batch, long calls) => Measure(FormattableString.Invariant($"loop {batch} {calls}"));

    /// <summary>One thread, inputs and outputs stay on the device: what computing alone takes. Python only.</summary>
    public PlainWindow Resident(int batch, long calls) => Measure(FormattableString.Invariant($"resident {batch} {calls}"));

    /// <summary>Every row's outputs in float64 on the CPU: bytes, outputs in order, each all rows. Python only.</summary>
    public byte[] Reference()
    {
        var file = Path.GetTempFileName();
        try
        {
            Ask($"reference {file}");
            return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static LoopProcess Start(string name, string file, string[] before, TorchOptions options, TorchLibrary library, Workload workload, RowSet rows, int threads) => new(name, rows, data =>
    {
        var start = new ProcessStartInfo(file, [.. before, workload.Path, threads.ToString(CultureInfo.InvariantCulture), options.Device, data]);
        PlainEnvironment.Give(start, library);
        return start;
    });
}
