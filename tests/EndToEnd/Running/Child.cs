using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A process that ends with the tests: disposed with its descendants, and killed by the kernel should the tests die first.</summary>
internal sealed partial class Child : IAsyncDisposable
{
    public const int SigInt = 2, SigTerm = 15;

    // The kernel's signal on a parent's death is bound to the thread that forked, and pool threads come and go: one thread, which never ends, starts everything.
    private static readonly BlockingCollection<Action> Starts = [];

    private readonly Process _process;
    private readonly StringBuilder _output = new(), _error = new();
    private readonly Task _drained;

    static Child() => new Thread(() =>
    {
        foreach (var start in Starts.GetConsumingEnumerable()) start();
    }) { IsBackground = true, Name = "starts children" }.Start();

    private Child(Process process)
    {
        _process = process;
        _drained = Task.WhenAll(Drain(process.StandardOutput, _output), Drain(process.StandardError, _error));
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Error => Text(_error);

    public static async Task<Child> Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", file, .. arguments])
        {
            WorkingDirectory = folder ?? Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Win32Exception e)
            {
                started.SetException(e);
            }
        });
        var child = new Child(await started.Task);
        child._process.StandardInput.Close();
        return child;
    }

    /// <summary>The exit code; all that was printed is in <see cref="Output"/> and <see cref="Error"/> afterwards.</summary>
    public async Task<int> Exit(TimeSpan? limit = null)
    {
        using var waited = new CancellationTokenSource(limit ?? Eventually.Limit);
        try
        {
            await _process.WaitForExitAsync(waited.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"process {Id} did not end\n{Output}\n{Error}");
        }

        // A grandchild may hold the pipes open; what it prints is not awaited for ever. Long enough that a pool without a free thread cuts nothing off.
        await Task.WhenAny(_drained, Task.Delay(TimeSpan.FromSeconds(30)));
        return _process.ExitCode;
    }

    public void Signal(int signal) => Assert.True(SendSignal(Id, signal) == 0 || HasExited, $"kill({Id}, {signal}) failed");

    public async Task Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        _process.Dispose();
    }

    private static async Task Drain(StreamReader from, StringBuilder to)
    {
        while (await from.ReadLineAsync() is { } line)
            lock (to) to.AppendLine(line);
    }

    private static string Text(StringBuilder text)
    {
        lock (text) return text.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
