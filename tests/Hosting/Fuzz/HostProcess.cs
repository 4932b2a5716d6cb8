using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>An <c>og serve</c> of its own, without a chain, with the digits model; ended with the test class.</summary>
public class HostProcess : IAsyncLifetime
{
    public const int MaxBodyBytes = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("og-fuzz-").FullName;
    private readonly int _port = Ports.Free(), _operatorPort = Ports.Free();
    private Process _process = null!;
    private Task<string> _errors = null!;

    public HttpClient Http { get; private set; } = null!;

    public bool HasExited => _process.HasExited;

    public async Task InitializeAsync()
    {
        var model = Path.Combine(Root(), "models", "digits", "model.onnx");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "og"),
        [
            "serve", "--set", $"http.listen=http://127.0.0.1:{_port}", "--set", $"operatorListen=http://127.0.0.1:{_operatorPort}",
            "--set", $"http.maxBodyBytes={BodyLimit}", "--set", $$"""models=[{"name":"digits","path":"{{model}}"}]""",
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        var first = await _process.StandardOutput.ReadLineAsync();
        Assert.True(first?.StartsWith("og ", StringComparison.Ordinal), first ?? await _errors);
        Http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = Timeout.InfiniteTimeSpan }) { BaseAddress = new Uri($"http://127.0.0.1:{_port}"), Timeout = TimeSpan.FromMinutes(5) };
    }

    /// <summary>Added to the process's environment.</summary>
    protected virtual IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    /// <summary>The operator's cap on a body.</summary>
    protected virtual int BodyLimit => MaxBodyBytes;

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        if (_process is { HasExited: false }) _process.Kill();
        if (_process is not null) await _process.WaitForExitAsync();
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    public async Task<(int Code, byte[] Body)> Infer(byte[] body, int? jsonLength = null, string model = "digits")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"v2/models/{model}/infer") { Content = new ByteArrayContent(body) };
        if (jsonLength is { } length) request.Headers.Add("Inference-Header-Content-Length", $"{length}");
        using var response = await Http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Sends bytes as they are and reads until the host closes.</summary>
    /// <param name="cut">Says first that no more will come: what is not whole then never will be.</param>
    /// <returns>What came; null where the host closed with a reset.</returns>
    public async Task<string?> Raw(byte[] bytes, bool cut)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(bytes);
            if (cut) client.Client.Shutdown(SocketShutdown.Send);
            using var read = new MemoryStream();
            await stream.CopyToAsync(read);
            return Encoding.Latin1.GetString(read.ToArray());
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The value of one metric of the digits model.</summary>
    public async Task<double> Metric(string name)
    {
        var text = await Http.GetStringAsync($"http://127.0.0.1:{_operatorPort}/metrics");
        var line = text.Split('\n').Single(line => line.StartsWith(name + "{", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException("the repository's root was not found");
    }
}
