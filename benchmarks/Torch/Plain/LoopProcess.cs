using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks.Plain;

/// <summary>A plain loop over the same archive, in Python or in C++, driven line by line; it sleeps between commands.</summary>
internal sealed class LoopProcess : IDisposable
{
    // A Python that loads a model of 90 MB onto a busy machine's first GPU is slow; a loop that hangs is noticed all the same.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly string _name;

    private LoopProcess(string name, ProcessStartInfo start)
    {
        _name = name;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{name} did not start");
        using var hello = JsonDocument.Parse(ReadLine());
        Version = hello.RootElement.GetProperty("torch").GetString()!;
    }

    /// <summary>libtorch's version as the process says it.</summary>
    public string Version { get; }

    public static LoopProcess Python(TorchOptions options, TorchLibrary library, Workload workload, RowSet rows, int threads) =>
        Start("the plain loop in Python", options.Python, [options.Script], options, library, workload, rows, threads);

    public static LoopProcess Native(TorchOptions options, TorchLibrary library, Workload workload, RowSet rows, int threads) =>
        Start("the plain loop in C++", options.Loop, [], options, library, workload, rows, threads);

    /// <summary>All threads share <paramref name="calls"/> calls; timed from the common start to the last end.</summary>
    public PlainWindow Fixed(int batch, long calls) => Ask(FormattableString.Invariant($"fixed {batch} {calls}"));

    /// <summary>One thread; its CPU time, exact percentiles.</summary>
    public PlainWindow Loop(int batch, long calls) => Ask(FormattableString.Invariant($"loop {batch} {calls}"));

    /// <summary>One thread, inputs and outputs stay on the device: what computing alone takes. Python only.</summary>
    public PlainWindow Resident(int batch, long calls) => Ask(FormattableString.Invariant($"resident {batch} {calls}"));

    /// <summary>Every row's outputs in float64 on the CPU: bytes, outputs in order, each all rows. Python only.</summary>
    public byte[] Reference()
    {
        var file = Path.GetTempFileName();
        try
        {
            _process.StandardInput.WriteLine($"reference {file}");
            _process.StandardInput.Flush();
            ReadLine();
            return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20))) _process.Kill();
        _process.Dispose();
    }

    private static LoopProcess Start(string name, string file, string[] before, TorchOptions options, TorchLibrary library, Workload workload, RowSet rows, int threads)
    {
        var data = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(data, [.. rows.Rows.SelectMany(row => row.SelectMany(input => input))]);
            var start = new ProcessStartInfo(file, [.. before, workload.Path, threads.ToString(CultureInfo.InvariantCulture), options.Device, data]);
            PlainEnvironment.Give(start, library);
            return new LoopProcess(name, start); // it has read the rows before it says hello
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new InvalidOperationException($"{name} cannot be started: {error.Message}", error);
        }
        finally
        {
            File.Delete(data);
        }
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

    private string ReadLine()
    {
        var line = _process.StandardOutput.ReadLineAsync();
        if (!line.Wait(Patience)) throw new InvalidOperationException($"{_name} does not answer");
        return line.Result ?? throw new InvalidOperationException($"{_name} ended; its error is above");
    }
}
