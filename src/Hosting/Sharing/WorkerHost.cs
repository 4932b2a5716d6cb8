using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Workers;

namespace OpenGradient.Engine.Hosting.Sharing;

/// <summary>
/// A process without an engine: verifier, settler or both, for every engine whose journal is in the database. It holds no
/// enclave key and loads no model. Started once; safe for concurrent calls.
/// </summary>
public sealed class WorkerHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<IDisposable> _owned = [];

    private WorkerHost(HostConfiguration configuration) => Configuration = configuration;

    public HostConfiguration Configuration { get; }

    public IReadOnlyList<JournalWorker> Workers { get; private set; } = [];

    /// <summary>Ends when the workers have ended; its failure says why.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    /// <exception cref="ConfigurationException">Something the configuration names is not usable.</exception>
    /// <exception cref="IOException">The database cannot be used.</exception>
    public static async Task<WorkerHost> Start(HostConfiguration configuration, TimeProvider clock)
    {
        var host = new WorkerHost(configuration);
        try
        {
            host.Compose(clock);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _stopping.Dispose();
    }

    private void Compose(TimeProvider clock)
    {
        var shim = AttestationShim.Load(Configuration.Attestation.Library);
        var journal = Own(SharedJournal.Open(Configuration, shim, clock) ?? throw new ConfigurationException(["outbox.kind: a process without an engine needs postgres"]));
        var workers = new List<JournalWorker>();
        if (Configuration.Roles.Contains("verifier")) workers.Add(journal.Verifier(shim));
        if (Configuration.Roles.Contains("settler"))
        {
            var chain = Configuration.Chain!;
            var rpc = new RpcClient(Own(new HttpClient()), new RpcOptions { Endpoint = new Uri(chain.Rpc) });
            var account = TransactionSigners.Open(shim, chain, () => Own(new HttpClient()));
            if (account is TransactionKey key) Own(key);
            workers.Add(journal.Settler(rpc, account));
        }

        Workers = workers;
        Running = Task.WhenAll(workers.Select(worker => Task.Run(() => worker.RunAsync(_stopping.Token))));
    }

    private T Own<T>(T part) where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }
}
