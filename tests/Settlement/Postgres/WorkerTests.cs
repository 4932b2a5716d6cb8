using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Workers;

namespace OpenGradient.Engine.Settlement.Tests.Postgres;

/// <summary>Engines that sign and a worker that anchors, over one journal and a real chain whose blocks the test makes.</summary>
public sealed class WorkerTests(Anvil anvil) : IClassFixture<Anvil>, IAsyncLifetime
{
    // A lease that no stall of the machine lets run out: who leads is the tests' to decide, and a stop lets the next one in at once.
    private static readonly PostgresOptions Quick = new() { Lease = TimeSpan.FromMinutes(2), StatementTimeout = TimeSpan.FromMinutes(2), PollInterval = TimeSpan.FromMilliseconds(20) };
    private readonly List<IDisposable> _owned = [];
    private readonly HttpClient _http = new();
    private PostgresDatabase? _database;

    public async Task InitializeAsync()
    {
        if (SharedFactAttribute.Reason is null) _database = PostgresDatabase.Open(await (await PostgresServer.Shared).NewDatabase(), Quick, TimeProvider.System);
    }

    public Task DisposeAsync()
    {
        for (var i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _database?.Dispose();
        _http.Dispose();
        return Task.CompletedTask;
    }

    [SharedFact]
    public async Task Worker_ThreeLogsInOneBlock_AnchorsEachWithANonceOfItsOwn()
    {
        var engines = Enumerable.Range(0, 3).Select(index => Engine($"nonces {index}")).ToArray();
        using var stop = new CancellationTokenSource();
        var worker = Worker("only", engines[0]);
        var running = worker.RunAsync(stop.Token);
        await Settled(engines, await AcceptEach(engines));

        // No block until each of them has its anchor in the pool.
        var batches = await AcceptEach(engines);
        await Until(async () =>
        {
            foreach (var engine in engines) await engine.Tick();
            return Convert.ToInt32((await anvil.Call("txpool_status", "[]")).Result.GetProperty("pending").GetString(), 16) == 3;
        });
        await Settled(engines, batches);
        var blocks = new HashSet<ulong>();
        foreach (var engine in engines) blocks.Add((await anvil.Anchors(engine.Log.LogId))[^1].At.BlockNumber);
        Assert.Single(blocks);
        Assert.Equal((true, 3, 1L), (worker.IsLeading, worker.Logs, worker.TakeOvers));
        Assert.Empty(worker.Conditions);
        await stop.CancelAsync();
        await running;
    }

    [SharedFact]
    public async Task Worker_StopsWhileAnchorsAreInThePool_AnotherTakesThemUp()
    {
        var engines = Enumerable.Range(0, 2).Select(index => Engine($"handover {index}")).ToArray();
        using var stopFirst = new CancellationTokenSource();
        using var stopSecond = new CancellationTokenSource();
        var (first, second) = (Worker("first", engines[0]), Worker("second", engines[0]));
        var runningFirst = first.RunAsync(stopFirst.Token);
        await Until(() => Task.FromResult(first.IsLeading));
        var runningSecond = second.RunAsync(stopSecond.Token);
        var all = await AcceptEach(engines);
        await Settled(engines, all);
        for (var round = 0; round < 2; round++)
        {
            var batches = await AcceptEach(engines);
            await Until(async () =>
            {
                foreach (var engine in engines) await engine.Tick();
                return Convert.ToInt32((await anvil.Call("txpool_status", "[]")).Result.GetProperty("pending").GetString(), 16) >= 2;
            });
            if (round == 0)
            {
                await stopFirst.CancelAsync();
                await runningFirst;
            }

            await Settled(engines, batches);
            all = [.. all.Zip(batches, (one, other) => one.Concat(other).ToArray())];
        }

        Assert.Equal((false, true, 1L), (first.IsLeading, second.IsLeading, second.TakeOvers));
        foreach (var (engine, batches) in engines.Zip(all)) await engine.Audit(batches);
        await stopSecond.CancelAsync();
        await runningSecond;
    }

    [SharedFact]
    public async Task Worker_OneJournalDamaged_ServesTheOthersAndNamesIt()
    {
        var connectionString = await (await PostgresServer.Shared).NewDatabase();
        _database = PostgresDatabase.Open(connectionString, Quick, TimeProvider.System);
        _owned.Add(_database);
        var (good, bad) = (Engine("good"), Engine("bad"));
        await bad.Accept();
        await using (var connection = new Npgsql.NpgsqlConnection(connectionString))
        {
            await connection.OpenAsync();
            await using var damage = new Npgsql.NpgsqlCommand("UPDATE og_journal SET type = 3 WHERE seq = 1 AND log = (SELECT log FROM og_log WHERE log_id = $1)", connection);
            damage.Parameters.AddWithValue(bad.Log.LogId.ToArray());
            Assert.Equal(1, await damage.ExecuteNonQueryAsync());
        }

        using var stop = new CancellationTokenSource();
        var worker = Worker("only", good);
        var running = worker.RunAsync(stop.Token);
        Doubles.Engine[] engines = [good];
        var batches = await AcceptEach(engines);
        await Settled(engines, batches);
        await good.Audit(batches[0]);
        var condition = Assert.Single(worker.Conditions, one => one.Condition.Kind == ConditionKind.OutboxFailed);
        Assert.Contains(bad.Log.LogId.ToString(), condition.Condition.Text, StringComparison.Ordinal);
        Assert.Contains("record 1", condition.Condition.Text, StringComparison.Ordinal);
        await stop.CancelAsync();
        await running;
    }

    [SharedFact]
    public async Task Engine_RestartedWithANewEpoch_IsRegisteredByTheWorkerAndGoesOn()
    {
        var engine = Engine("epochs");
        using var stop = new CancellationTokenSource();
        var running = Worker("only", engine).RunAsync(stop.Token);
        var first = (await AcceptEach([engine]))[0];
        await Settled([engine], [first]);
        var waiting = await engine.Accept(); // durable, and its key is gone before it is anchored
        engine.Stop();
        engine.Start(newEpoch: true);
        var third = await engine.Accept();
        await Settled([engine], [[waiting, third]]);
        await engine.Audit([.. first, waiting, third]);
        await stop.CancelAsync();
        await running;
    }

    [SharedFact]
    public async Task Engine_RotatesItsKey_IsRegisteredByTheWorkerAndGoesOn()
    {
        var engine = Engine("rotation");
        using var stop = new CancellationTokenSource();
        var running = Worker("only", engine).RunAsync(stop.Token);
        var first = (await AcceptEach([engine]))[0];
        await Settled([engine], [first]);
        var second = await engine.Accept();
        await engine.Tick(); // its anchor is on its way, or is signed by the successor
        var old = await engine.Rotate();
        var (third, fourth) = (await engine.Accept(2, old), await engine.Accept());
        await Settled([engine], [[second, third, fourth]]);
        await engine.Audit([.. first, second, third, fourth]);
        Assert.Equal(engine.Epoch.Epoch.Id, engine.Service.GetProof(fourth.StatementId)!.Checkpoint!.Epoch);
        await stop.CancelAsync();
        await running;
    }

    private Doubles.Engine Engine(string name)
    {
        var folder = new TemporaryFolder();
        var engine = new Doubles.Engine(anvil, $"{nameof(WorkerTests)} {name}", new LinuxDisk(), folder.Path);
        var database = _database!;
        engine.SharedJournal = (sink, news) => PostgresOutbox.Open(database, engine.Log.LogId, folder.Path, new OutboxOptions(), sink, news);
        _owned.Add(folder);
        _owned.Add(engine);
        return engine.Start();
    }

    private JournalWorker Worker(string name, Doubles.Engine example) =>
        JournalWorker.Settler(_database!, name, example.Options, new RpcClient(_http, new RpcOptions { Endpoint = anvil.Endpoint, Timeout = TimeSpan.FromSeconds(30) }), anvil.Account, TimeProvider.System);

    private static async Task<SealedBatch[][]> AcceptEach(Doubles.Engine[] engines)
    {
        var batches = new List<SealedBatch[]>();
        foreach (var engine in engines) batches.Add([await engine.Accept(), await engine.Accept(2)]);
        return [.. batches];
    }

    private async Task Settled(Doubles.Engine[] engines, SealedBatch[][] batches) => await Until(async () =>
    {
        foreach (var engine in engines) await engine.Tick();
        await anvil.Mine();
        return engines.Zip(batches).All(pair => pair.Second.All(batch => pair.First.Service.Find(batch.StatementId)?.Stage == ReceiptStage.Final));
    });

    private static async Task Until(Func<Task<bool>> holds)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(10), "waited in vain");
            await Task.Delay(20);
        }
    }
}

/// <summary>A test that needs the real node and a PostgreSQL server; visibly skipped where one is missing.</summary>
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute() => Skip = Reason;

    internal static string? Reason { get; } = Anvil.Missing ?? PostgresServer.Missing;
}
