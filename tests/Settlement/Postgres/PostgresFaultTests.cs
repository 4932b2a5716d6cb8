using System.Collections.Concurrent;
using Npgsql;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Tests.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Postgres;

/// <summary>What a database does to those who rely on it. Every test asserts that its fault bit.</summary>
public sealed class PostgresFaultTests : IAsyncLifetime
{
    private static readonly Hash256 Log = Hash256.Sha256([2]);
    // Statements have time: what interrupts here is the fault of the test, not a stall of the machine.
    private static readonly PostgresOptions Quick = new() { Lease = TimeSpan.FromMilliseconds(600), StatementTimeout = TimeSpan.FromMinutes(2), Patience = TimeSpan.FromMilliseconds(300), DrainLimit = TimeSpan.FromMilliseconds(500) };
    private static readonly PostgresOptions Patient = Quick with { Patience = TimeSpan.FromMinutes(2) };
    private readonly ConcurrentQueue<string> _interruptions = new();
    private readonly List<PostgresDatabase> _databases = [];
    private string _connectionString = "";

    public async Task InitializeAsync()
    {
        if (PostgresServer.Missing is null) _connectionString = await (await PostgresServer.Shared).NewDatabase();
    }

    public Task DisposeAsync()
    {
        foreach (var database in _databases) database.Dispose();
        return Task.CompletedTask;
    }

    [PostgresFact]
    public async Task Outbox_ServerKilledUnderLoad_KeepsWhatItAcknowledgedAndGoesOn()
    {
        await using var server = await PostgresServer.Start();
        _connectionString = await server.NewDatabase();
        var sink = new RecordingSink();
        var acknowledged = new ConcurrentBag<int>();
        using var stop = new CancellationTokenSource();
        using (var outbox = Open(sink, Quick))
        {
            var load = Load(outbox, acknowledged, stop.Token);
            await Until(() => acknowledged.Count > 200);
            await server.Kill();
            await Until(() => outbox.Trouble is { Status: AppendStatus.Unavailable });
            var before = acknowledged.Count;
            await server.Launch();
            await Until(() => acknowledged.Count > before + 200);
            Assert.Null(outbox.Trouble);
            await stop.CancelAsync();
            await load;
        }

        Assert.NotEmpty(_interruptions);
        await AssertStoredOnce(acknowledged, sink);
    }

    [PostgresFact]
    public async Task Outbox_ConnectionsEndedUnderLoad_StoresEverythingOnce()
    {
        var sink = new RecordingSink();
        var acknowledged = new ConcurrentBag<int>();
        using var stop = new CancellationTokenSource();
        var ended = 0L;
        using (var outbox = Open(sink, Quick))
        {
            var load = Load(outbox, acknowledged, stop.Token);
            for (var round = 0; round < 20; round++)
            {
                var before = acknowledged.Count;
                await Until(() => acknowledged.Count > before + 20);
                ended += await Ask<long>("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
            }

            await stop.CancelAsync();
            await load;
        }

        Assert.True(ended >= 20 && !_interruptions.IsEmpty, $"{ended} connections ended, {_interruptions.Count} interruptions");
        await AssertStoredOnce(acknowledged, sink);
    }

    [PostgresFact]
    public async Task Outbox_AnswerToACommitLost_IsStoredOnceAndAcknowledgedOnce()
    {
        var settings = new NpgsqlConnectionStringBuilder(_connectionString);
        using var proxy = new LossyProxy(settings.Port, OutboxCrashTests.Payload(77, 400)[..32]);
        settings.Port = proxy.Port;
        var direct = _connectionString;
        _connectionString = settings.ConnectionString;
        var sink = new RecordingSink();
        using (var outbox = Open(sink, Patient))
        {
            Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(76, 400))).IsDurable);
            proxy.LoseNextAnswer();
            var outcome = await outbox.AppendAsync(1, OutboxCrashTests.Payload(77, 400));
            Assert.True(outcome.IsDurable, outcome.Detail);
            Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(78, 400))).IsDurable);
        }

        Assert.Equal(1, proxy.Cuts);
        Assert.NotEmpty(_interruptions);
        Assert.Equal([76, 77, 78], sink.Numbers);
        _connectionString = direct;
        Assert.Equal(3, await Ask<long>("SELECT count(*) FROM og_journal"));
    }

    [PostgresFact]
    public async Task Outbox_StatementTimesOut_IsNamedAndStoredOnceLater()
    {
        var sink = new RecordingSink();
        _ = Database(Quick); // the tables are made without the limit
        using var outbox = Open(sink, Quick with { StatementTimeout = TimeSpan.FromSeconds(3) });
        await using var holder = new NpgsqlConnection(_connectionString);
        await holder.OpenAsync();
        await using (var held = await holder.BeginTransactionAsync())
        {
            await Execute(holder, "SELECT 1 FROM og_log FOR UPDATE");
            var append = outbox.AppendAsync(1, OutboxCrashTests.Payload(5, 50));
            await Until(() => _interruptions.Any(name => name.Contains("waited too long", StringComparison.Ordinal)));
            Assert.False(append.IsCompleted);
            await held.RollbackAsync();
            Assert.True((await append).IsDurable);
        }

        Assert.Equal([5], sink.Numbers);
        Assert.Equal(1, await Ask<long>("SELECT count(*) FROM og_journal"));
    }

    [PostgresFact]
    public async Task Outbox_TwoWritersOfASerializableDatabase_StoreEverythingOnce()
    {
        await Execute("ALTER DATABASE " + new NpgsqlConnectionStringBuilder(_connectionString).Database + " SET default_transaction_isolation = 'serializable'");
        var (first, second) = (new RecordingSink(), new RecordingSink());
        var acknowledged = new ConcurrentBag<int>();
        using var stop = new CancellationTokenSource();
        using (var engine = Open(first, Quick))
        using (var worker = OpenSecond(second))
        {
            var loads = Task.WhenAll(Load(engine, acknowledged, stop.Token), Load(worker, acknowledged, stop.Token, from: 1_000_000));
            await Until(() => acknowledged.Count(number => number >= 1_000_000) > 100 && acknowledged.Count(number => number < 1_000_000) > 100);
            await Until(() => _interruptions.Any(name => name.Contains("serialise", StringComparison.Ordinal)));
            await stop.CancelAsync();
            await loads;
        }

        await AssertStoredOnce(acknowledged, null);
    }

    [PostgresFact]
    public async Task Append_OfTwoProcesses_IsAppliedInOneOrderByBoth()
    {
        var (first, second) = (new RecordingSink(), new RecordingSink());
        var acknowledged = new ConcurrentBag<int>();
        using var stop = new CancellationTokenSource();
        using (var engine = Open(first, Quick))
        using (var worker = OpenSecond(second))
        {
            var loads = Task.WhenAll(Load(engine, acknowledged, stop.Token), Load(worker, acknowledged, stop.Token, from: 1_000_000));
            await Until(() => acknowledged.Count(number => number >= 1_000_000) > 200 && acknowledged.Count(number => number < 1_000_000) > 200);
            await stop.CancelAsync();
            await loads;
            await Task.WhenAll(engine.CatchUpAsync(), worker.CatchUpAsync());
        }

        Assert.Equal(first.Records.Select(record => (record.Position, BitConverter.ToInt32(record.Payload))), second.Records.Select(record => (record.Position, BitConverter.ToInt32(record.Payload))));
        await AssertStoredOnce(acknowledged, first);
        Assert.Empty(_interruptions);
    }

    [PostgresFact]
    public async Task Append_WhoseGroundAnotherProcessChanges_IsNeverStored()
    {
        var sinks = new[] { new CountingSink(), new CountingSink() };
        using (var engine = Open(sinks[0], Quick))
        using (var worker = OpenSecond(sinks[1]))
        {
            // Both make their first record from an empty journal: one of the two has lost its ground.
            var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var races = Task.WhenAll(Race(engine, sinks[0], both.Task), Race(worker, sinks[1], both.Task));
            both.SetResult();
            var stale = await races;
            Assert.True(stale.Sum() > 0, "the two never met");
            await Task.WhenAll(engine.CatchUpAsync(), worker.CatchUpAsync());
            Assert.Equal(200, sinks[0].Count);
        }

        // Each record carries the count that it was made from: a gapless series, or one was stored on old ground.
        var stored = new RecordingSink();
        Open(stored, Quick).Dispose();
        Assert.Equal(Enumerable.Range(0, 200), stored.Numbers);

        static async Task<int> Race(PostgresOutbox outbox, CountingSink sink, Task both)
        {
            var stale = 0;
            while (sink.Count is < 200 and var seen)
            {
                await both;
                var outcome = await outbox.AppendAsync(1, OutboxCrashTests.Payload(seen, 20), () => sink.Count == seen);
                if (outcome.Status == AppendStatus.Stale) stale++;
                else Assert.True(outcome.IsDurable, outcome.Detail);
            }

            return stale;
        }
    }

    [PostgresFact]
    public async Task Append_AfterTheLeaseWasTaken_IsRefusedAndStoresNothing()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink, new PostgresOptions());
        Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(1, 30))).IsDurable);
        await Execute("UPDATE og_lease SET fence = fence + 1, holder = 'a successor'");
        var refused = await outbox.AppendAsync(1, OutboxCrashTests.Payload(2, 30));
        Assert.Equal(AppendStatus.Fenced, refused.Status);
        Assert.Contains("taken over", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(AppendStatus.Fenced, outbox.Trouble?.Status);
        Assert.Equal([1], sink.Numbers);
        Assert.Equal(1, await Ask<long>("SELECT count(*) FROM og_journal"));
    }

    [PostgresFact]
    public async Task Open_WhileAnotherEngineRenewsItsLease_IsRefusedByName()
    {
        // Longer than a machine under load keeps a renewal waiting: a lease that ran out is taken over, and rightly.
        using var first = Open(new RecordingSink(), Quick with { Lease = TimeSpan.FromSeconds(24) });
        var granted = await Ask<DateTime>("SELECT expires FROM og_lease"); // until it is renewed for the first time
        while (await Ask<DateTime>("SELECT expires FROM og_lease") == granted) await Task.Delay(50);
        var refusal = Assert.Throws<OutboxLockedException>(() => Open(new RecordingSink(), Quick, holder: "another engine"));
        Assert.Contains("held by engine", refusal.Message, StringComparison.Ordinal);
        Assert.True((await first.AppendAsync(1, OutboxCrashTests.Payload(1, 30))).IsDurable);
    }

    [PostgresFact]
    public async Task Open_AfterTheHolderEnded_TakesOverAtOnceAndAfterADeadOneWithinItsLease()
    {
        Open(new RecordingSink(), new PostgresOptions()).Dispose();
        using (var second = Open(new RecordingSink(), new PostgresOptions(), holder: "another engine"))
            Assert.True((await second.AppendAsync(1, OutboxCrashTests.Payload(1, 30))).IsDurable);
        await Execute("UPDATE og_lease SET holder = 'a dead one', expires = clock_timestamp() + interval '500 milliseconds'");
        using var third = Open(new RecordingSink(), Quick);
        Assert.Equal(3, await Ask<long>("SELECT fence FROM og_lease"));
    }

    [PostgresFact]
    public async Task Outbox_DatabaseRestoredFromAnOldCopy_EndsByName()
    {
        var sink = new RecordingSink();
        using var outbox = Open(sink, Quick);
        for (var number = 0; number < 5; number++) Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(number, 30))).IsDurable);
        await Execute("DELETE FROM og_journal WHERE seq > 3; UPDATE og_log SET next_seq = 4");
        var outcome = await outbox.AppendAsync(1, OutboxCrashTests.Payload(9, 30));
        Assert.Equal(AppendStatus.Failed, outcome.Status);
        Assert.Contains("no longer holds it", outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(3, await Ask<long>("SELECT count(*) FROM og_journal"));
    }

    [PostgresFact]
    public async Task Open_JournalCutAtItsEnd_Refuses()
    {
        using (var outbox = Open(new RecordingSink(), Quick))
            for (var number = 0; number < 5; number++) Assert.True((await outbox.AppendAsync(1, OutboxCrashTests.Payload(number, 30))).IsDurable);
        await Execute("DELETE FROM og_journal WHERE seq > 3");
        var refusal = Assert.Throws<OutboxDamagedException>(() => Open(new RecordingSink(), Quick));
        Assert.Equal(4u, refusal.Position.Offset);
    }

    [PostgresFact]
    public async Task Open_UnsafeOrNewerDatabase_IsRefusedByName()
    {
        _ = Database(Quick);
        await Execute("UPDATE og_meta SET version = 2");
        Assert.Contains("of version 2, this build reads up to 1", Assert.Throws<IOException>(() => Database(Quick)).Message, StringComparison.Ordinal);
        await Execute("UPDATE og_meta SET version = 1");
        await Execute("ALTER DATABASE " + new NpgsqlConnectionStringBuilder(_connectionString).Database + " SET synchronous_commit = off");
        Assert.Contains("synchronous_commit is off", Assert.Throws<IOException>(() => Database(Quick)).Message, StringComparison.Ordinal);
        Assert.Contains("malformed", Assert.Throws<FormatException>(() => PostgresDatabase.Open("nonsense", Quick, TimeProvider.System)).Message, StringComparison.Ordinal);
        Assert.Contains("no Host", Assert.Throws<FormatException>(() => PostgresDatabase.Open("Username=og", Quick, TimeProvider.System)).Message, StringComparison.Ordinal);
        var wrong = new NpgsqlConnectionStringBuilder(_connectionString) { Password = "wrong" }.ConnectionString;
        Assert.Contains("refuses (28P01)", Assert.Throws<OutboxUnavailableException>(() => PostgresDatabase.Open(wrong, Quick, TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    private PostgresDatabase Database(PostgresOptions options)
    {
        var database = PostgresDatabase.Open(_connectionString, options, TimeProvider.System);
        _databases.Add(database);
        return database;
    }

    private OutboxNews News => new(() => { }, name =>
    {
        if (name is not null) _interruptions.Enqueue(name);
    });

    private PostgresOutbox Open(IRecordSink sink, PostgresOptions options, string holder = "engine") => PostgresOutbox.Open(Database(options), Log, holder, new OutboxOptions(), sink, News);

    // As a worker does: beside the engine, under a lease of its own.
    private PostgresOutbox OpenSecond(IRecordSink sink) => PostgresOutbox.OpenBeside(Database(Quick), Log, "worker", "worker", new OutboxOptions(), sink, News);

    private static async Task Load(PostgresOutbox outbox, ConcurrentBag<int> acknowledged, CancellationToken stop, int from = 0)
    {
        var next = from;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var number = Interlocked.Increment(ref next);
                var outcome = await outbox.AppendAsync(1, OutboxCrashTests.Payload(number, 200));
                if (outcome.IsDurable) acknowledged.Add(number);
                else await Task.Delay(5, CancellationToken.None);
            }
        })));
    }

    private async Task AssertStoredOnce(IReadOnlyCollection<int> acknowledged, RecordingSink? live)
    {
        var stored = new RecordingSink();
        Open(stored, Quick).Dispose();
        var numbers = stored.Numbers.ToList();
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.Empty(acknowledged.Except(numbers));
        Assert.Equal(acknowledged.Count, acknowledged.Distinct().Count());
        if (live is not null) Assert.Equal(live.Numbers, numbers.Take(live.Records.Count));
    }

    private async Task<T> Ask<T>(string question)
    {
        await using var connection = new NpgsqlConnection(_connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(question, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private async Task Execute(string statements)
    {
        await using var connection = new NpgsqlConnection(_connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await Execute(connection, statements);
    }

    private static async Task Execute(NpgsqlConnection connection, string statements)
    {
        await using var command = new NpgsqlCommand(statements, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task Until(Func<bool> holds)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(10), "waited in vain");
            await Task.Delay(10);
        }
    }

    private sealed class CountingSink : IRecordSink
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload) => Interlocked.Increment(ref _count);
    }
}
