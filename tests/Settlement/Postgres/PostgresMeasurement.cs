using System.Diagnostics;
using System.Globalization;
using Npgsql;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Tests.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Postgres;

/// <summary>
/// What the unique index and the fencing cost, and how long a failover takes, side by side in one run:
/// <c>dotnet exec OpenGradient.Engine.Settlement.Tests.dll measure-postgres [seconds]</c>. Rows are 136 bytes. Every
/// figure counts acknowledged records, and the records in the database are counted against it.
/// </summary>
internal static class PostgresMeasurement
{
    private const int PayloadSize = 136;

    public static async Task Run(double seconds)
    {
        if (PostgresServer.Missing is { } missing)
        {
            Console.WriteLine(missing);
            return;
        }

        await using var server = await PostgresServer.Start();
        Console.WriteLine($"records of {PayloadSize} bytes, {seconds} s each, records/s and p99 in ms by callers in flight; {Environment.ProcessorCount} cores shared with the server");
        foreach (var (name, table) in new[] { ("plain insert", "CREATE TABLE plain (seq bigint, type smallint, payload bytea)"), ("+ primary key", "CREATE TABLE plain (seq bigint PRIMARY KEY, type smallint, payload bytea)"), ("+ unique name", "CREATE TABLE plain (seq bigint PRIMARY KEY, type smallint, payload bytea, once bytea UNIQUE)") })
            await Row(name, async callers => await Plain(await server.NewDatabase(), table, callers, seconds));
        await Row("the outbox, writer's names (16 bytes, rising)", async callers => await Outbox(await server.NewDatabase(), callers, seconds, named: false));
        await Row("the outbox, statement ids (32 bytes, random)", async callers => await Outbox(await server.NewDatabase(), callers, seconds, named: true));
        await Failover(server);
        await TakeOver(server);
    }

    private static async Task Row(string name, Func<int, Task<(double PerSecond, double P99)>> measure)
    {
        var cells = new List<string>();
        foreach (var callers in new[] { 1, 16, 256 })
        {
            var (perSecond, p99) = await measure(callers);
            cells.Add(string.Create(CultureInfo.InvariantCulture, $"{callers}: {perSecond:0}/s p99 {p99:0.0}"));
        }

        Console.WriteLine($"{name,-46} {string.Join("   ", cells)}");
    }

    // One writer, group commit, nothing else: what the database can do at best.
    private static async Task<(double, double)> Plain(string connectionString, string table, int callers, double seconds)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Max Auto Prepare=4;Auto Prepare Min Usages=1");
        await connection.OpenAsync();
        await Execute(connection, table);
        var named = table.Contains("once", StringComparison.Ordinal);
        var (payload, latencies, written, clock) = (new byte[PayloadSize], new List<double>(), 0L, Stopwatch.StartNew());
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            // As many as are in flight wait for one group; the next group is they again.
            var began = clock.Elapsed.TotalMilliseconds;
            var first = written;
            await using var insert = new NpgsqlCommand(named
                ? "INSERT INTO plain (seq, type, payload, once) SELECT * FROM unnest($1, $2, $3, $4)"
                : "INSERT INTO plain (seq, type, payload) SELECT * FROM unnest($1, $2, $3)", connection);
            insert.Parameters.AddWithValue(Enumerable.Range(0, callers).Select(i => first + i).ToArray());
            insert.Parameters.AddWithValue(Enumerable.Repeat((short)1, callers).ToArray());
            insert.Parameters.AddWithValue(Enumerable.Repeat(payload, callers).ToArray());
            if (named) insert.Parameters.AddWithValue(Enumerable.Range(0, callers).Select(i => Hash256.Sha256(BitConverter.GetBytes(first + i)).ToArray()).ToArray());
            await insert.ExecuteNonQueryAsync();
            written += callers;
            latencies.Add(clock.Elapsed.TotalMilliseconds - began);
        }

        return (written / clock.Elapsed.TotalSeconds, P99(latencies));
    }

    private static async Task<(double, double)> Outbox(string connectionString, int callers, double seconds, bool named)
    {
        var sink = new CountingSink();
        using var database = PostgresDatabase.Open(connectionString, new PostgresOptions(), TimeProvider.System);
        double perSecond, p99;
        long acknowledged = 0;
        using (var outbox = PostgresOutbox.Open(database, Hash256.Sha256([9]), "measurement", new OutboxOptions(), sink, new OutboxNews(() => { }, _ => { })))
        {
            var (next, clock, latencies) = (0L, Stopwatch.StartNew(), new List<double>());
            await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
            {
                var own = new List<double>();
                while (clock.Elapsed.TotalSeconds < seconds)
                {
                    var began = clock.Elapsed.TotalMilliseconds;
                    var record = new NamedRecord(Interlocked.Increment(ref next), named);
                    if (!outbox.TryAppend(record)) throw new InvalidOperationException("the queue is full");
                    var outcome = await record.Done;
                    if (!outcome.IsDurable) throw new InvalidOperationException(outcome.Detail);
                    own.Add(clock.Elapsed.TotalMilliseconds - began);
                    Interlocked.Increment(ref acknowledged);
                }

                lock (latencies) latencies.AddRange(own);
            })));
            (perSecond, p99) = (acknowledged / clock.Elapsed.TotalSeconds, P99(latencies));
        }

        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var count = new NpgsqlCommand("SELECT count(*) FROM og_journal", connection);
        if (await count.ExecuteScalarAsync() is not long stored || stored != acknowledged || sink.Count != acknowledged) throw new InvalidOperationException("acknowledged and stored differ");
        return (perSecond, p99);
    }

    // kill -9 of the server: from the kill, and from its readiness, to the next acknowledged record.
    private static async Task Failover(PostgresServer server)
    {
        using var database = PostgresDatabase.Open(await server.NewDatabase(), new PostgresOptions(), TimeProvider.System);
        using var outbox = PostgresOutbox.Open(database, Hash256.Sha256([8]), "measurement", new OutboxOptions(), new CountingSink(), new OutboxNews(() => { }, _ => { }));
        for (var round = 0; round < 3; round++)
        {
            await outbox.AppendAsync(1, new byte[PayloadSize]);
            var clock = Stopwatch.StartNew();
            await server.Kill();
            var append = outbox.AppendAsync(1, new byte[PayloadSize]);
            await server.Launch();
            var ready = clock.Elapsed;
            while (!(await append).IsDurable) append = outbox.AppendAsync(1, new byte[PayloadSize]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"kill -9 of the server: ready again after {ready.TotalSeconds:0.00} s, the queued record durable {(clock.Elapsed - ready).TotalMilliseconds:0} ms later"));
        }
    }

    // A holder that neither renews nor leaves: how long until a successor writes.
    private static async Task TakeOver(PostgresServer server)
    {
        var connectionString = await server.NewDatabase();
        using var database = PostgresDatabase.Open(connectionString, new PostgresOptions(), TimeProvider.System);
        var news = new OutboxNews(() => { }, _ => { });
        for (var round = 0; round < 3; round++)
        {
            await using (var connection = new NpgsqlConnection(connectionString))
            {
                await connection.OpenAsync();
                await Execute(connection, "INSERT INTO og_lease VALUES ('worker', 'a dead one', 1, clock_timestamp() + interval '5 seconds') ON CONFLICT (name) DO UPDATE SET holder = 'a dead one', fence = og_lease.fence + 1, expires = EXCLUDED.expires");
            }

            var clock = Stopwatch.StartNew();
            using var successor = PostgresOutbox.OpenBeside(database, Hash256.Sha256([7]), "worker", "a successor", new OutboxOptions(), new CountingSink(), news);
            if (!(await successor.AppendAsync(1, new byte[PayloadSize])).IsDurable) throw new InvalidOperationException("not durable");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lease of 5 s left by a dead holder: the successor's first record durable after {clock.Elapsed.TotalSeconds:0.00} s"));
        }
    }

    private static double P99(List<double> values) => values.Order().ElementAt(Math.Min(values.Count - 1, values.Count * 99 / 100));

    private static async Task Execute(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class CountingSink : IRecordSink
    {
        public long Count { get; private set; }

        public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload) => Count++;
    }

    private sealed class NamedRecord(long number, bool named) : OutboxRecord
    {
        private readonly TaskCompletionSource<AppendOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override byte Type => 1;

        public override int Length => PayloadSize;

        public override Hash256? Name { get; } = named ? Hash256.Sha256(BitConverter.GetBytes(number)) : null;

        public Task<AppendOutcome> Done => _done.Task;

        public override void Write(Span<byte> payload) => payload.Fill((byte)number);

        public override void Complete(AppendOutcome outcome) => _done.SetResult(outcome);
    }
}
