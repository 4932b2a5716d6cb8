using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using OpenGradient.Engine.Settlement.Settling;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// Tells other processes that a journal has grown, and hears it from them. A convenience: whoever misses a notification
/// finds the records when it next polls. Notifications go out after the commit and by a connection of their own, because
/// a transaction that notifies serialises its commit, sync included, with every other one that does.
/// </summary>
internal sealed class PostgresSignals : IDisposable
{
    private const string Channel = "og_journal";

    // Notifications of one journal that leave closer together than this become one. 10 ms: beside a commit's own time, little.
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Backoff = TimeSpan.FromMilliseconds(500);

    private readonly PostgresDatabase _database;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Guid, (int Log, Action Wake)> _listeners = new();
    private readonly ConcurrentDictionary<(int Log, Guid From), bool> _due = new();
    private readonly WakeSignal _wake = new();
    private readonly Lock _gate = new(); // guards the start
    private Task _running = Task.CompletedTask;
    private bool _started;

    public PostgresSignals(PostgresDatabase database) => _database = database;

    /// <summary>Calls <paramref name="wake"/> when somebody else than <paramref name="self"/> has written to the log. It must be short.</summary>
    public void Listen(int log, Guid self, Action wake)
    {
        _listeners[self] = (log, wake);
        lock (_gate)
        {
            if (_started) return;
            _started = true;
            _running = Task.WhenAll(Task.Run(Hear), Task.Run(Tell));
        }
    }

    public void Leave(Guid self) => _listeners.TryRemove(self, out _);

    public void Announce(int log, Guid from)
    {
        _due[(log, from)] = true;
        _wake.Set();
    }

    public void Dispose()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        _running.GetAwaiter().GetResult();
        _stopping.Dispose();
    }

    private Task Hear() => Forever(async () =>
    {
        await using var connection = await _database.ConnectAsync(_stopping.Token).ConfigureAwait(false);
        connection.Notification += (_, heard) => Wake(heard.Payload);
        await using (var listen = new NpgsqlCommand("LISTEN " + Channel, connection)) await listen.ExecuteNonQueryAsync(_stopping.Token).ConfigureAwait(false);
        foreach (var (_, wake) in _listeners.Values) wake(); // what was said while nobody heard
        while (true) await connection.WaitAsync(_stopping.Token).ConfigureAwait(false);
    });

    private Task Tell() => Forever(async () =>
    {
        while (true)
        {
            await _wake.WaitAsync(Timeout.InfiniteTimeSpan, _database.Clock, _stopping.Token).ConfigureAwait(false);
            await using (var connection = await _database.ConnectAsync(_stopping.Token).ConfigureAwait(false))
            {
                foreach (var due in _due.Keys)
                {
                    _due.TryRemove(due, out _);
                    await using var notify = new NpgsqlCommand("SELECT pg_notify($1, $2)", connection);
                    notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Channel });
                    notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = string.Create(CultureInfo.InvariantCulture, $"{due.Log}:{due.From:N}") });
                    await notify.ExecuteNonQueryAsync(_stopping.Token).ConfigureAwait(false);
                }
            }

            await Task.Delay(Spacing, _database.Clock, _stopping.Token).ConfigureAwait(false);
        }
    });

    private void Wake(string payload)
    {
        var colon = payload.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || !int.TryParse(payload.AsSpan(0, colon), CultureInfo.InvariantCulture, out var log) || !Guid.TryParse(payload.AsSpan(colon + 1), out var from)) return;
        foreach (var (self, listener) in _listeners)
            if (listener.Log == log && self != from) listener.Wake();
    }

    private async Task Forever(Func<Task> work)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await work().ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Whatever ended it, the journal is still polled; it is tried again.
            catch (Exception)
#pragma warning restore CA1031
            {
                await Task.Delay(Backoff, _database.Clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
