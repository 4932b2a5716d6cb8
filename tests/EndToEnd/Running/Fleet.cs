using System.Diagnostics;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Tests.Postgres;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A test that needs the real node and a PostgreSQL server; visibly skipped where one is missing.</summary>
public sealed class FleetFactAttribute : FactAttribute
{
    public FleetFactAttribute() => Skip = ChainFactAttribute.Reason ?? PostgresServer.Missing;
}

/// <summary>Installations that share one contract, one database and one paying account.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly TemporaryFolder _secrets = new();

    private Fleet(PostgresServer server, Anvil chain) => (Server, Chain) = (server, chain);

    public PostgresServer Server { get; }

    public Anvil Chain { get; }

    public List<Installation> Installations { get; } = [];

    private string ConnectionFile => _secrets.At("connection");

    public static async Task<Fleet> Create(Anvil chain, int engines)
    {
        var fleet = new Fleet(await PostgresServer.Start(), chain);
        await File.WriteAllTextAsync(fleet.ConnectionFile, await fleet.Server.NewDatabase() + "\n");
        File.SetUnixFileMode(fleet.ConnectionFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        fleet.Installations.Add(await Installation.Create(chain));
        var contract = fleet.Installations[0].Configuration().GetProperty("chain").GetProperty("contract").GetString();
        while (fleet.Installations.Count < engines) fleet.Installations.Add(await Installation.Create(chain, contract: contract));
        return fleet;
    }

    /// <summary>What every process of the fleet is told. A short lease, so that tests are; long enough that a leader which a busy machine holds up keeps it.</summary>
    public string[] Settings(string roles) =>
        [$"roles=[{string.Join(',', roles.Split(',').Select(role => $"\"{role}\""))}]", "outbox.kind=postgres", $"outbox.connectionStringFile={ConnectionFile}", "outbox.leaseMs=6000", "settlement.maxAgeMs=150", "settlement.tickMs=50"];

    public Task<ServingHost> Engine(int index, string roles = "engine,verifier", params string[] more) =>
        ServingHost.Start(Installations[index].Config, [.. Settings(roles), .. more]);

    public Task<WorkerProcess> Worker(string roles = "settler", params string[] more) => WorkerProcess.Start(Installations[0].Config, [.. Settings(roles), .. more]);

    /// <summary>Everything acknowledged is final, and each host's log and chain hold it exactly once.</summary>
    public async Task AssertFinalOnce(ServingHost[] hosts, IReadOnlyList<IReadOnlyCollection<Receipt>> receipts)
    {
        for (var i = 0; i < hosts.Length; i++)
        {
            Assert.NotEmpty(receipts[i]);
            foreach (var receipt in receipts[i]) await hosts[i].UntilStage(receipt.Id.ToString(), "final");
            await Audit.Run(Installations[i], receipts[i]);
        }
    }

    public async Task<OgResult> Verified(int index, ServingHost host, Receipt receipt)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.At("receipt.ogb"), await host.Bundle(receipt));
        return await Og.Run("verify", folder.At("receipt.ogb"), "--trust", Installations[index].Trust);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var installation in Installations) installation.Dispose();
        _secrets.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>A real <c>og serve</c> without an engine.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    public const int SigCont = 18, SigStop = 19;

    // One that is stopped answers nothing: it is asked again, and not for the whole of a wait.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private readonly Child _child;
    private readonly HttpClient _http;

    private WorkerProcess(Child child, string url)
    {
        _child = child;
        _http = new HttpClient { BaseAddress = new Uri(url), Timeout = Eventually.Limit };
    }

    public string Printed => _child.Output + _child.Error;

    public static async Task<WorkerProcess> Start(string config, IReadOnlyList<string> settings)
    {
        var url = $"http://127.0.0.1:{Ports.Free()}/";
        string[] all = [$"operatorListen={url}", .. settings];
        var worker = new WorkerProcess(await Child.Start(Repository.Og, ["serve", "--config", config, .. all.SelectMany(setting => new[] { "--set", setting })]), url);
        await Eventually.Value("the worker listens", async () =>
        {
            Assert.False(worker._child.HasExited, worker.Printed);
            return await worker.State() is { ValueKind: JsonValueKind.Object } ? worker : null;
        }, () => worker.Printed);
        return worker;
    }

    /// <summary>Its first role's state; undefined while it does not answer.</summary>
    public async Task<JsonElement> State()
    {
        using var silent = new CancellationTokenSource(Silence);
        try
        {
            using var document = JsonDocument.Parse(await _http.GetByteArrayAsync("v1/workers", silent.Token));
            return document.RootElement.GetProperty("workers")[0].Clone();
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException)
        {
            return default;
        }
    }

    public async Task<bool> IsLeading() => await State() is { ValueKind: JsonValueKind.Object } state && state.GetProperty("leading").GetBoolean();

    public async Task<string[]> Conditions() => await State() is { ValueKind: JsonValueKind.Object } state
        ? [.. state.GetProperty("conditions").EnumerateArray().Select(condition => condition.GetProperty("kind").GetString()!)]
        : [];

    public async Task<MetricsText> Metrics() => new(await _http.GetStringAsync("metrics"));

    public Task Kill() => _child.Kill();

    public void Signal(int signal) => _child.Signal(signal);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _child.DisposeAsync();
    }
}
