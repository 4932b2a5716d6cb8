using System.Diagnostics;
using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.Http;

/// <summary>benchmarks/EmptyHost on a free port; it ends with this object.</summary>
internal sealed class EmptyHostProcess : IDisposable
{
    private readonly Process _process;

    private EmptyHostProcess(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <exception cref="InvalidOperationException">It did not start.</exception>
    public static async Task<EmptyHostProcess> StartAsync(string executable)
    {
        if (!File.Exists(executable)) throw new InvalidOperationException($"{executable} does not exist; build the solution first");
        var port = HostProcess.FreePort();
        var process = Process.Start(new ProcessStartInfo(Path.GetFullPath(executable), [port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var host = new EmptyHostProcess(process, port);
        if (await process.StandardOutput.ReadLineAsync() == "ready") return host;
        host.Dispose();
        throw new InvalidOperationException($"{executable} did not start; its error is above");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        }

        _process.Dispose();
    }
}
