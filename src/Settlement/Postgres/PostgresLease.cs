using Npgsql;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// The right to write, for a time, with a number that rises with every holder. Expiry, by the server's clock, only says
/// when somebody else may take over; the number decides, in the transaction of every append, who may write. Renewed by a
/// task of its own until it is disposed or lost.
/// </summary>
internal sealed class PostgresLease : IDisposable
{
    // A third: two renewals may fail before the lease runs out.
    private const int RenewalsPerLease = 3;

    private readonly PostgresDatabase _database;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _renewing;
    private volatile bool _lost;

    private PostgresLease(PostgresDatabase database, string name, long fence)
    {
        (_database, Name, Fence) = (database, name, fence);
        _renewing = Task.Run(Renew);
    }

    public string Name { get; }

    public long Fence { get; }

    /// <summary>Somebody else holds it now.</summary>
    public bool IsLost => _lost;

    /// <summary>Takes the lease if nobody holds it; null and the holder's name otherwise.</summary>
    /// <param name="database">Where it is kept.</param>
    /// <param name="name">What it is for.</param>
    /// <param name="holder">Who asks; shown to others.</param>
    /// <param name="fromNamesake">A holder of the same name is an earlier life of this one: it is taken over at once.</param>
    public static (PostgresLease? Lease, string? Holder) TryTake(PostgresDatabase database, string name, string holder, bool fromNamesake)
    {
        const string take = """
            INSERT INTO og_lease AS held (name, holder, fence, expires) VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
            ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, fence = held.fence + 1, expires = EXCLUDED.expires
            WHERE held.expires < clock_timestamp() OR ($4 AND held.holder = EXCLUDED.holder)
            RETURNING fence
            """;
        using var connection = database.Connect();
        // Asked first without taking any lock: those who wait must not hold up the holder's appends.
        if (HolderNow(connection, name, holder, fromNamesake) is { } held) return (null, held);
        using (var command = new NpgsqlCommand(take, connection))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = holder });
            command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = database.Options.Lease.TotalSeconds });
            command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = fromNamesake });
            if (command.ExecuteScalar() is long fence) return (new PostgresLease(database, name, fence), null);
        }

        return (null, HolderNow(connection, name, holder, fromNamesake) ?? "somebody");
    }

    private static string? HolderNow(NpgsqlConnection connection, string name, string asker, bool fromNamesake)
    {
        using var ask = new NpgsqlCommand("SELECT holder FROM og_lease WHERE name = $1 AND expires >= clock_timestamp() AND NOT ($2 AND holder = $3)", connection);
        ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        ask.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = fromNamesake });
        ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = asker });
        return ask.ExecuteScalar() as string;
    }

    /// <summary>Stops renewing and lets the next holder in at once, if the database can be asked.</summary>
    public void Dispose()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        _renewing.GetAwaiter().GetResult();
        _stopping.Dispose();
        try
        {
            if (!_lost) SetExpiry("'-infinity'", CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (PostgresFaults.NameOf(failure) is not null)
        {
            // It runs out by itself.
        }
    }

    private async Task Renew()
    {
        var pause = _database.Options.Lease / RenewalsPerLease;
        while (!_lost)
        {
            await Task.Delay(pause, _database.Clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stopping.IsCancellationRequested) return;
            try
            {
                // Renewed although it may have run out meanwhile: nobody has taken it while the number stands.
                if (await SetExpiry("clock_timestamp() + make_interval(secs => $3)", _stopping.Token).ConfigureAwait(false) == 0) _lost = true;
            }
            catch (Exception failure) when (failure is OperationCanceledException || PostgresFaults.NameOf(failure) is not null)
            {
                // The next renewal tries again; the outbox names what is wrong.
            }
        }
    }

    private async Task<int> SetExpiry(string expression, CancellationToken cancellationToken)
    {
        await using var connection = await _database.ConnectAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand($"UPDATE og_lease SET expires = {expression} WHERE name = $1 AND fence = $2", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Fence });
        if (expression.Contains('$', StringComparison.Ordinal)) command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = _database.Options.Lease.TotalSeconds });
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
