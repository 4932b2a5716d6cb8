namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>One installation with one serving host, shared by tests that leave it as they found it.</summary>
public sealed class Line : IAsyncLifetime
{
    private Installation? _installation;
    private ServingHost? _host;

    internal Installation Installation => _installation!;

    internal ServingHost Host => _host!;

    public async Task InitializeAsync()
    {
        if (Anvil.Binary is null) return;
        _installation = await Installation.Create(await Anvil.Shared);
        _host = await _installation.Serve();
    }

    public async Task DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        _installation?.Dispose();
    }
}
