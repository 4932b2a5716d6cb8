using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks;

/// <param name="Og">The host's executable.</param>
/// <param name="Models">Folders with model.json, or bare files.</param>
/// <param name="Workers">Per model; 0 for its default.</param>
/// <param name="Library">ONNX Runtime's library; null where the host looks.</param>
internal sealed record HostSettings(string Og, IReadOnlyList<string> Models, int Workers = 0, string? Library = null);

/// <summary>An <c>og serve</c> of its own: free loopback port, temporary data folder, no chain. It ends with this object.</summary>
internal sealed partial class HostProcess : IDisposable
{
    private const int Terminate = 15;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-bench-");
    private readonly Process _process;
    private readonly TaskCompletionSource<(Hash256 Log, Hash256 Epoch)> _identity = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostProcess(HostSettings options)
    {
        Port = FreePort();
        var models = string.Join(',', options.Models.Select(model => $"{{\"path\":\"{Escaped(Path.GetFullPath(model))}\"}}"));
        string[] settings =
        [
            $"http.listen=http://127.0.0.1:{Port}", "operatorListen=", $"data={_folder.FullName}", $"models=[{models}]",
            .. options.Workers > 0 ? new[] { $"onnxRuntime.workers={options.Workers}" } : [],
            .. options.Library is { } library ? new[] { $"onnxRuntime.library={Path.GetFullPath(library)}" } : [],
        ];
        var start = new ProcessStartInfo(Path.GetFullPath(options.Og), ["serve", .. settings.SelectMany(setting => new[] { "--set", setting })])
        {
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.BeginOutputReadLine();
    }

    public int Port { get; }

    /// <summary>What the host says about itself: every statement must name them.</summary>
    public Hash256 Log { get; private set; }

    public Hash256 Epoch { get; private set; }

    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Null with a reason when this build's og cannot serve.</summary>
    public static async Task<(HostProcess? Host, string? Reason)> StartAsync(HostSettings options)
    {
        if (!File.Exists(options.Og)) return (null, $"{options.Og} does not exist");
        if (!await HasServeAsync(options.Og)) return (null, "this og has no serve command");
        var host = new HostProcess(options);
        var waited = await Task.WhenAny(host._identity.Task, host._process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(30)));
        if (waited != host._identity.Task)
        {
            host.Dispose();
            return (null, "og serve did not start; its error is above");
        }

        (host.Log, host.Epoch) = await host._identity.Task;
        return (host, null);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _ = SendSignal(_process.Id, Terminate);
            if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        }

        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<bool> HasServeAsync(string og)
    {
        using var help = Process.Start(new ProcessStartInfo(og, ["serve", "--help"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        await help.StandardOutput.ReadToEndAsync();
        await help.WaitForExitAsync();
        return help.ExitCode == 0;
    }

    private static string Escaped(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    // "log HEX, epoch HEX; ..." is printed once the listener is open.
    private void Read(string? line)
    {
        if (line is null || !line.StartsWith("log ", StringComparison.Ordinal)) return;
        var words = line.Split([' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length >= 4 && Hash256.TryParse(words[1], out var log) && Hash256.TryParse(words[3], out var epoch)) _identity.TrySetResult((log, epoch));
    }

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    // .NET can only kill; the host closes its outbox when it is asked to end.
    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int process, int signal);
}
