using Npgsql;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// The tables (docs/scale-out.md, "Tables"). They lie in the first schema of the connection's search path. The version
/// rises with every change; a database of a newer release is refused.
/// </summary>
internal static class PostgresSchema
{
    public const int Version = 1;
    public const string OnceIndex = "og_journal_once";

    // Any number that nobody else uses: two processes that start at once must not both create.
    private const long CreationLock = 0x6f67_6a6f_7572_6e6c;

    private const string Create = $"""
        CREATE TABLE og_meta (single boolean PRIMARY KEY DEFAULT true CHECK (single), version integer NOT NULL);
        CREATE TABLE og_log (
            log integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            log_id bytea NOT NULL UNIQUE CHECK (length(log_id) = 32),
            next_seq bigint NOT NULL DEFAULT 1) WITH (fillfactor = 10);
        CREATE TABLE og_journal (
            log integer NOT NULL, seq bigint NOT NULL, type smallint NOT NULL, once bytea NOT NULL, crc integer NOT NULL, payload bytea NOT NULL,
            PRIMARY KEY (log, seq));
        ALTER TABLE og_journal ALTER COLUMN payload SET STORAGE EXTERNAL;
        CREATE UNIQUE INDEX {OnceIndex} ON og_journal (log, once);
        CREATE TABLE og_lease (name text PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL, expires timestamptz NOT NULL) WITH (fillfactor = 10);
        INSERT INTO og_meta (version) VALUES (1);
        """;

    /// <summary>Creates the tables where there are none.</summary>
    /// <exception cref="IOException">They are of a release that this one cannot read.</exception>
    public static void Ensure(NpgsqlConnection connection)
    {
        if (VersionOf(connection) is not { } version)
        {
            using var transaction = connection.BeginTransaction();
            Execute(connection, $"SELECT pg_advisory_xact_lock({CreationLock})");
            if (VersionOf(connection) is null) Execute(connection, Create);
            version = VersionOf(connection) ?? 0;
            transaction.Commit();
        }

        if (version == Version) return;
        throw new IOException(version > Version
            ? $"outbox: the database's tables are of version {version}, this build reads up to {Version}; use the release that wrote them or a newer one"
            : $"outbox: the database's tables have the unknown version {version}");
    }

    private static int? VersionOf(NpgsqlConnection connection)
    {
        using var look = new NpgsqlCommand("SELECT to_regclass('og_meta') IS NOT NULL", connection);
        if (look.ExecuteScalar() is not true) return null;
        using var ask = new NpgsqlCommand("SELECT version FROM og_meta", connection);
        return ask.ExecuteScalar() is int version ? version : 0;
    }

    private static void Execute(NpgsqlConnection connection, string text)
    {
        using var command = new NpgsqlCommand(text, connection);
        command.ExecuteNonQuery();
    }
}
