using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One window of a baseline.</summary>
internal sealed record PlainWindow(int Batch, long Requests, double Seconds, double CpuSeconds, double P50, double P99)
{
    public double Rate => Requests / Seconds;

    public double CpuPerRequest => CpuSeconds / Math.Max(1, Requests);
}

/// <summary>A plain loop in a process of its own, driven line by line; it sleeps between commands.</summary>
internal abstract class BaselineProcess : IDisposable
{
    // A Python that loads a model of 90 MB onto a busy machine's first GPU is slow; a loop that hangs is noticed all the same.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string _name;
    private readonly Process _process;

    /// <param name="name">For people.</param>
    /// <param name="rows">Each row's inputs in the model's order: what is asked of the engine, so that both are asked the same.</param>
    /// <param name="start">The program and its arguments, given the file that holds the rows.</param>
    /// <param name="version">Under which key the program's first line says its library's version.</param>
    /// <exception cref="InvalidOperationException">It cannot be started, or ends.</exception>
    protected BaselineProcess(string name, IEnumerable<byte[][]> rows, Func<string, ProcessStartInfo> start, string version)
    {
        _name = name;
        var data = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(data, [.. rows.SelectMany(row => row.SelectMany(input => input))]);
            var info = start(data);
            info.RedirectStandardInput = true;
            info.RedirectStandardOutput = true;
            _process = Process.Start(info) ?? throw new InvalidOperationException($"{name} did not start");
            // It has read the rows before it says hello.
            using var hello = JsonDocument.Parse(ReadLine());
            Version = hello.RootElement.GetProperty(version).GetString()!;
        }
        catch (Win32Exception error)
        {
            throw new InvalidOperationException($"{name} cannot be started: {error.Message}", error);
        }
        finally
        {
            File.Delete(data);
        }
    }

    /// <summary>The library's version as the process says it.</summary>
    public string Version { get; }

    /// <summary>All threads share <paramref name="calls"/> calls; timed from the common start to the last end.</summary>
    public PlainWindow Fixed(int batch, long calls) => Measure(FormattableString.Invariant($"fixed {batch} {calls}"));

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20))) _process.Kill();
        _process.Dispose();
    }

    protected PlainWindow Measure(string command)
    {
        using var answer = JsonDocument.Parse(Ask(command));
        var root = answer.RootElement;
        return new PlainWindow(
            root.GetProperty("batch").GetInt32(), root.GetProperty("requests").GetInt64(), root.GetProperty("seconds").GetDouble(),
            root.GetProperty("cpu_seconds").GetDouble(), root.GetProperty("p50_us").GetDouble(), root.GetProperty("p99_us").GetDouble());
    }

    /// <summary>The line with which it answers a command.</summary>
    protected string Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        return ReadLine();
    }

    private string ReadLine()
    {
        var line = _process.StandardOutput.ReadLineAsync();
        if (!line.Wait(Patience)) throw new InvalidOperationException($"{_name} does not answer");
        return line.Result ?? throw new InvalidOperationException($"{_name} ended; its error is above");
    }
}
