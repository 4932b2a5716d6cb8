using System.Net.Sockets;
using Npgsql;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// The way to the database that keeps the journals of many engines: connections, tables checked once, notifications.
/// Safe for concurrent calls; outlives the outboxes that use it.
/// </summary>
public sealed class PostgresDatabase : IDisposable
{
    private readonly NpgsqlDataSource _source;

    private PostgresDatabase(NpgsqlDataSource source, PostgresOptions options, TimeProvider clock)
    {
        (_source, Options, Clock) = (source, options, clock);
        Signals = new PostgresSignals(this);
    }

    internal PostgresOptions Options { get; }

    internal TimeProvider Clock { get; }

    internal PostgresSignals Signals { get; }

    /// <summary>Connects, checks that what the server acknowledges is durable, and makes the tables where there are none.</summary>
    /// <param name="connectionString">As Npgsql reads it; a secret. Several hosts are one primary and its standbys.</param>
    /// <param name="options">Patience.</param>
    /// <param name="clock">For pauses; what expires is judged by the server's clock.</param>
    /// <exception cref="FormatException">The connection string is malformed.</exception>
    /// <exception cref="IOException">The server cannot be reached or used; the message says why and holds no secret.</exception>
    public static PostgresDatabase Open(string connectionString, PostgresOptions options, TimeProvider clock)
    {
        options.Validate();
        var source = Source(connectionString, options);
        try
        {
            using (var connection = source.OpenConnection())
            {
                RefuseUnsafe(connection);
                PostgresSchema.Ensure(connection);
            }

            return new PostgresDatabase(source, options, clock);
        }
        catch (Exception failure) when (failure is NpgsqlException or SocketException or TimeoutException)
        {
            source.Dispose();
            throw new OutboxUnavailableException($"outbox: {PostgresFaults.NameOf(failure) ?? failure.Message}", failure);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Signals.Dispose();
        _source.Dispose();
    }

    internal NpgsqlConnection Connect() => _source.OpenConnection();

    internal ValueTask<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken) => _source.OpenConnectionAsync(cancellationToken);

    private static NpgsqlDataSource Source(string connectionString, PostgresOptions options)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception malformed) when (malformed is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The parser's own words may quote the password.
            throw new FormatException("the connection string is malformed: key=value pairs between semicolons, for example Host=db;Username=og;Password=...;Database=og");
        }

        if (string.IsNullOrEmpty(settings.Host)) throw new FormatException("the connection string names no Host");
        settings.ApplicationName ??= "og";
        settings.Enlist = false;
        settings.MaxAutoPrepare = 32;
        settings.AutoPrepareMinUsages = 2;
        // The server ends a statement first; this one is for a server that has gone.
        settings.CommandTimeout = (int)Math.Ceiling(options.StatementTimeout.TotalSeconds) + 5;
        // A process that is stopped inside a transaction must not hold the others' rows for ever.
        settings.Options = $"{settings.Options} -c statement_timeout={options.StatementTimeout.TotalMilliseconds:0} -c idle_in_transaction_session_timeout={options.StatementTimeout.TotalMilliseconds:0}".Trim();
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        return builder.Build();
    }

    private static void RefuseUnsafe(NpgsqlConnection connection)
    {
        using var ask = new NpgsqlCommand("SELECT current_setting('fsync'), current_setting('synchronous_commit'), pg_is_in_recovery()", connection);
        using var answer = ask.ExecuteReader();
        answer.Read();
        if (answer.GetString(0) != "on") throw new IOException("outbox: the database runs with fsync off: what it acknowledges can be lost. Switch it on");
        if (answer.GetString(1) == "off") throw new IOException("outbox: the database acknowledges before it has written (synchronous_commit is off). Switch it on for this role or database");
        if (answer.GetBoolean(2)) throw new IOException("outbox: the database is a read-only standby; name the primary, or several hosts with Target Session Attributes=primary");
    }
}
