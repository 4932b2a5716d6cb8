using Npgsql;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Tests.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Postgres;

/// <summary>The contract over a real server.</summary>
[NeedsPostgres]
public sealed class PostgresContractTests : OutboxContract, IAsyncLifetime
{
    private static readonly Hash256 Log = Hash256.Sha256([1]);
    private string _connectionString = "";
    private PostgresDatabase? _database;
    private NpgsqlConnection? _holder;
    private NpgsqlTransaction? _held;

    public async Task InitializeAsync()
    {
        if (PostgresServer.Missing is not null) return;
        _connectionString = await (await PostgresServer.Shared).NewDatabase();
        _database = PostgresDatabase.Open(_connectionString, new PostgresOptions { StatementTimeout = TimeSpan.FromMinutes(2) }, TimeProvider.System); // what is held waits, however long
    }

    public Task DisposeAsync()
    {
        if (_held is not null) LetGo();
        _database?.Dispose();
        return Task.CompletedTask;
    }

    protected override IOutbox Open(IRecordSink sink, OutboxOptions options) =>
        PostgresOutbox.Open(_database!, Log, "contract", options, sink, new OutboxNews(() => { }, _ => { }));

    // Somebody else has the log's row: every append waits.
    protected override void Hold()
    {
        _holder = new NpgsqlConnection(_connectionString);
        _holder.Open();
        _held = _holder.BeginTransaction();
        Execute(_holder, "SELECT 1 FROM og_log FOR UPDATE");
    }

    protected override void LetGo()
    {
        _held!.Dispose();
        _holder!.Dispose();
        _held = null;
    }

    protected override void Damage(RecordPosition position) => Change($"UPDATE og_journal SET payload = set_byte(payload, 70, get_byte(payload, 70) # 1) WHERE seq = {position.Offset}");

    protected override void Remove(RecordPosition position) => Change($"DELETE FROM og_journal WHERE seq = {position.Offset}");

    private void Change(string statement)
    {
        using var connection = new NpgsqlConnection(_connectionString);
        connection.Open();
        Assert.Equal(1, Execute(connection, statement));
    }

    private static int Execute(NpgsqlConnection connection, string statement)
    {
        using var command = new NpgsqlCommand(statement, connection);
        return command.ExecuteNonQuery();
    }
}
