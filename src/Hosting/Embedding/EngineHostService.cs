using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Embedding;

/// <summary>Starts the house with an application and stops it with it: stopping answers everything admitted and syncs the outbox.</summary>
public sealed class EngineHostService(HostConfiguration configuration, TimeProvider clock) : IHostedService, IAsyncDisposable
{
    private EngineHost? _host;

    /// <exception cref="InvalidOperationException">The application's hosted services have not started yet.</exception>
    public EngineHost Host => _host ?? throw new InvalidOperationException("the engine starts with the application's hosted services, which have not started");

    public async Task StartAsync(CancellationToken cancellationToken) =>
        _host = await EngineHost.Start(configuration, clock, cancellationToken).ConfigureAwait(false);

    public async Task StopAsync(CancellationToken cancellationToken) => await DisposeAsync().ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        var host = Interlocked.Exchange(ref _host, null);
        if (host is not null) await host.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>One registration.</summary>
public static class OpenGradientServices
{
    /// <summary>Adds <see cref="ProvenInference"/> and the hosted service behind it.</summary>
    /// <exception cref="ConfigurationException">The configuration is not sound; every error is named.</exception>
    public static IServiceCollection AddOpenGradientEngine(this IServiceCollection services, HostConfiguration configuration)
    {
        var errors = ConfigurationCheck.Errors(configuration);
        if (errors.Count > 0) throw new ConfigurationException(errors);
        services.AddSingleton(provider => new EngineHostService(configuration, provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<EngineHostService>());
        services.AddSingleton<ProvenInference>();
        return services;
    }
}
