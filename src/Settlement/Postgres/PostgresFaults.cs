using System.Net.Sockets;
using Npgsql;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>Which failures of the database pass by themselves, and what they are called.</summary>
internal static class PostgresFaults
{
    private const string UniqueViolation = "23505";

    /// <summary>What interrupts, for the operator; null for a failure that trying again does not mend.</summary>
    public static string? NameOf(Exception failure) => failure switch
    {
        PostgresException refused => NameOf(refused),
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => "the database did not answer in time",
        NpgsqlException { InnerException: SocketException socket } => $"the connection to the database failed: {socket.Message}",
        NpgsqlException lost => $"the connection to the database was lost: {lost.Message}",
        SocketException or IOException => $"the connection to the database failed: {failure.Message}",
        _ => null,
    };

    /// <summary>A record of this name is in the journal already.</summary>
    public static bool IsDuplicate(PostgresException refused) => refused is { SqlState: UniqueViolation, ConstraintName: PostgresSchema.OnceIndex };

    // Classes and codes: PostgreSQL 15, appendix A.
    private static string? NameOf(PostgresException refused) => refused.SqlState switch
    {
        "40001" => "the database could not serialise a transaction",
        "40P01" => "the database ended a deadlock",
        "55P03" or "57014" => "a statement waited too long in the database",
        "25P03" => "the database ended a transaction that stood still",
        "53100" => "the database's disk is full",
        "53300" => "the database has no connection left",
        "57P01" or "57P02" or "57P03" => "the database is stopping or starting",
        "25006" => "the database is a read-only standby",
        "XX001" or "XX002" => null, // damaged data or index: asking again would not mend it
        _ when refused.SqlState.StartsWith("08", StringComparison.Ordinal) || refused.SqlState.StartsWith("53", StringComparison.Ordinal) || refused.SqlState.StartsWith("58", StringComparison.Ordinal)
            => $"the database failed ({refused.SqlState}): {refused.MessageText}",
        // Missing rights or tables, wrong password: an operator's change, which an operator undoes while the queue waits.
        _ when refused.SqlState.StartsWith("28", StringComparison.Ordinal) || refused.SqlState.StartsWith("3D", StringComparison.Ordinal) || refused.SqlState.StartsWith("42", StringComparison.Ordinal)
            => $"the database refuses ({refused.SqlState}): {refused.MessageText}",
        _ => null,
    };
}
