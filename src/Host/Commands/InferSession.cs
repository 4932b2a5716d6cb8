using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>A host to talk to: a running one, or one that lives inside this process for one command, on a loopback port of its own.</summary>
internal sealed class InferSession : IAsyncDisposable
{
    private readonly EngineHost? _host;
    private readonly WebApplication? _app;

    private InferSession(HostClient client, EngineHost? host, WebApplication? app) => (Client, _host, _app) = (client, host, app);

    public HostClient Client { get; }

    public static async Task<InferSession> Open(bool local, Uri url, string? keyFile, string? config, string[] settings, CancellationToken cancellation)
    {
        if (!local) return new InferSession(HostClient.Connect(url, keyFile), null, null);

        // Port 0 of loopback: the same code path as a served request, reachable by nobody who does not know the port.
        string[] own = [.. settings, "http.listen=http://127.0.0.1:0", "operatorListen="];
        var configuration = ConfigurationLoader.Load(config, Environment.GetEnvironmentVariables(), own);
        var host = await EngineHost.Start(configuration with { Http = new ListenerConfiguration { Listen = "http://127.0.0.1:0" } }, TimeProvider.System, cancellation);
        var app = HttpServer.Build(host, new Drain(TimeSpan.Zero, TimeProvider.System), TimeProvider.System);
        await app.StartAsync(cancellation);
        return new InferSession(HostClient.Connect(new Uri(app.Urls.First()), null), host, app);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_app is not null) await _app.DisposeAsync();
        if (_host is not null) await _host.DisposeAsync();
    }
}
