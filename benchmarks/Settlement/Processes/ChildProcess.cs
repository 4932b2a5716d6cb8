using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace OpenGradient.Engine.Benchmarks.Settlement.Processes;

/// <summary>A process that ends with this one: killed when disposed, and by the kernel should this one die first.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int KeptCharacters = 64 * 1024;

    // The kernel's signal on a parent's death is bound to the thread that forked, and pool threads come and go: one thread, which never ends, starts everything.
    private static readonly BlockingCollection<Action> Starts = [];

    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly Task _drained;

    static ChildProcess() => new Thread(() =>
    {
        foreach (var start in Starts.GetConsumingEnumerable()) start();
    }) { IsBackground = true, Name = "starts children" }.Start();

    private ChildProcess(Process process)
    {
        _process = process;
        _drained = Task.WhenAll(DrainAsync(process.StandardOutput), DrainAsync(process.StandardError));
    }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>The end of what it printed, both streams mixed.</summary>
    public string Said
    {
        get { lock (_said) return _said.ToString(); }
    }

    /// <exception cref="InvalidOperationException">The file cannot be started.</exception>
    public static async Task<ChildProcess> StartAsync(string file, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", file, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Win32Exception refused)
            {
                started.SetException(new InvalidOperationException($"{file} cannot be started: {refused.Message}"));
            }
        });
        var child = new ChildProcess(await started.Task);
        child._process.StandardInput.Close();
        return child;
    }

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="TimeoutException">It did not end in time; it has been killed.</exception>
    public static async Task<(int ExitCode, string Said)> RunAsync(string file, IEnumerable<string> arguments, TimeSpan limit)
    {
        await using var child = await StartAsync(file, arguments);
        try
        {
            await child._process.WaitForExitAsync().WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{file} did not end within {limit.TotalSeconds:0} s");
        }

        await Task.WhenAny(child._drained, Task.Delay(TimeSpan.FromSeconds(2)));
        return (child.ExitCode, child.Said);
    }

    /// <summary>kill -9, with whatever it started.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; whether it ended by itself in time.</summary>
    public async Task<bool> TerminateAsync(TimeSpan limit)
    {
        if (!_process.HasExited) _ = Signal(_process.Id, Terminate);
        try
        {
            await _process.WaitForExitAsync().WaitAsync(limit);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private async Task DrainAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (_said)
            {
                _said.AppendLine(line);
                if (_said.Length > 2 * KeptCharacters) _said.Remove(0, _said.Length - KeptCharacters);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Signal(int process, int signal);
}
