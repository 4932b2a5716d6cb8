using Npgsql;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>
/// One log's journal in PostgreSQL, written and followed by several processes. Every process applies every record in the
/// journal's order; a group is stored only right behind what this process has applied, so whatever it wrote was decided
/// on the state that was the newest. One thread does all of it; callers only queue. A lost connection keeps the group
/// and offers it again: names make it durable once, although the first attempt may have been.
/// </summary>
public sealed class PostgresOutbox : IOutbox
{
    // Attempts to write beside others before the log is locked: two cost less than a lock, more would starve a rare writer beside a busy one.
    private const int AttemptsWithoutLock = 2;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly PostgresDatabase _database;
    private readonly JournalTable _table;
    private readonly OutboxOptions _options;
    private readonly OutboxNews _news;
    private readonly AppendQueue _queue;
    private readonly PayloadCache _cache = new();
    private readonly RecordNames _names = new();
    private readonly Guid _self = Guid.NewGuid();
    private readonly ManualResetEventSlim _closing = new();
    private readonly Thread _thread;
    private readonly Lock _gate = new(); // guards the two that follow
    private readonly List<TaskCompletionSource> _catchUps = [];
    private bool _closed;

    private readonly JournalCursor _cursor; // of the thread that opens, then of the writer thread alone
    private long? _interruptedAt; // the writer thread's
    private long _closedAt;

    private volatile Tuple<AppendOutcome>? _trouble;
    private volatile PostgresLease? _lease;
    private PostgresLease? _owned;

    private PostgresOutbox(PostgresDatabase database, JournalTable table, OutboxOptions options, IRecordSink sink, OutboxNews news)
    {
        (_database, _table, _options, _news) = (database, table, options, news);
        _cursor = new JournalCursor(database, table, sink, _cache, news.Changed);
        _queue = new AppendQueue(options);
        _thread = new Thread(Run) { IsBackground = true, Name = "outbox writer" };
    }

    /// <summary>Takes the log's lease for this engine, makes its journal if there is none, and applies every record to the sink.</summary>
    /// <param name="database">Where the journal is.</param>
    /// <param name="logId">Whose.</param>
    /// <param name="holder">This engine's name, the same over restarts: a lease that an earlier life of it left is taken over at once.</param>
    /// <param name="options">Limits of queue and group.</param>
    /// <param name="sink">Where records go.</param>
    /// <param name="news">What the owner hears.</param>
    /// <exception cref="OutboxLockedException">Another process holds the lease, and kept renewing it.</exception>
    /// <exception cref="OutboxDamagedException">Acknowledged data is missing or changed.</exception>
    /// <exception cref="IOException">The database refused.</exception>
    public static PostgresOutbox Open(PostgresDatabase database, Hash256 logId, string holder, OutboxOptions options, IRecordSink sink, OutboxNews news) =>
        OpenUnder(TakeOrWait(database, $"engine {logId}", holder), database, logId, options, sink, news);

    /// <summary>As <see cref="Open"/>, for a process that writes a journal beside its engine, under a lease of its own.</summary>
    /// <param name="database">Where the journal is.</param>
    /// <param name="logId">Whose.</param>
    /// <param name="role">The lease's name: one holder at a time.</param>
    /// <param name="holder">This process's name.</param>
    /// <param name="options">Limits of queue and group.</param>
    /// <param name="sink">Where records go.</param>
    /// <param name="news">What the owner hears.</param>
    public static PostgresOutbox OpenBeside(PostgresDatabase database, Hash256 logId, string role, string holder, OutboxOptions options, IRecordSink sink, OutboxNews news) =>
        OpenUnder(TakeOrWait(database, role, holder), database, logId, options, sink, news);

    /// <summary>Follows a journal without writing it, until <see cref="Lead"/>; null when there is no such log.</summary>
    internal static PostgresOutbox? Follow(PostgresDatabase database, Hash256 logId, bool create, OutboxOptions options, IRecordSink sink, OutboxNews news)
    {
        options.Validate();
        PostgresOutbox? outbox = null;
        try
        {
            using (var connection = database.Connect())
            {
                if (JournalTable.Find(connection, logId, create) is not { } table) return null;
                outbox = new PostgresOutbox(database, table, options, sink, news);
            }

            outbox._cursor.Connect(new JournalGroup([], outbox._names));
            outbox._thread.Start();
            database.Signals.Listen(outbox._table.Log, outbox._self, outbox._queue.Nudge);
            return outbox;
        }
        catch (Exception failure) when (PostgresFaults.NameOf(failure) is { } name)
        {
            outbox?._cursor.Disconnect();
            throw new OutboxUnavailableException($"outbox: {name}", failure);
        }
        catch
        {
            outbox?._cursor.Disconnect();
            throw;
        }
    }

    public AppendOutcome? Trouble => _trouble?.Item1;

    public Task<AppendOutcome> AppendAsync(byte type, ReadOnlyMemory<byte> payload, Func<bool>? holds = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(type);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, _options.MaxPayload);
        if (Trouble is { } trouble) return Task.FromResult(trouble);
        if (_lease is null) return Task.FromResult(NotLeading);
        var record = new BytesRecord(type, payload, holds);
        return _queue.TryAdd(record)
            ? record.Done
            : Task.FromResult(Trouble ?? new AppendOutcome(AppendStatus.Busy, default, "the outbox's queue is full; try again shortly"));
    }

    public bool TryAppend(OutboxRecord record)
    {
        ArgumentOutOfRangeException.ThrowIfZero(record.Type);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, _options.MaxPayload);
        // Taken in while the database is away: the queue is bounded, and it may be back in a moment.
        return Trouble is not { Status: AppendStatus.Failed or AppendStatus.Fenced } && _lease is not null && _queue.TryAdd(record);
    }

    /// <exception cref="OutboxDamagedException">The record is missing or altered.</exception>
    /// <exception cref="OutboxUnavailableException">The database does not answer.</exception>
    public byte[] Read(RecordPosition position)
    {
        var seq = JournalTable.SeqOf(position);
        if (_cache.Find(seq) is { } cached) return cached;
        try
        {
            using var connection = _database.Connect();
            return _table.ReadOne(connection, seq).Payload;
        }
        catch (Exception failure) when (PostgresFaults.NameOf(failure) is { } name)
        {
            throw new OutboxUnavailableException($"outbox: {name}", failure);
        }
    }

    /// <summary>From here on appends are made under this lease.</summary>
    internal void Lead(PostgresLease lease)
    {
        _lease = lease;
        if (Trouble is { Status: AppendStatus.Fenced }) _trouble = null;
    }

    /// <summary>From here on nothing is appended.</summary>
    internal void Rest() => _lease = null;

    /// <summary>Completes when everything that is durable now is applied here, or nothing more will be.</summary>
    public Task CatchUpAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closed || Trouble is { Status: AppendStatus.Failed }) return Task.CompletedTask;
            _catchUps.Add(done);
        }

        _queue.Nudge();
        return done.Task;
    }

    /// <summary>Stores what is queued, as long as the database answers, and lets the next process in.</summary>
    public void Dispose()
    {
        _database.Signals.Leave(_self);
        Volatile.Write(ref _closedAt, _database.Clock.GetTimestamp());
        _closing.Set();
        _queue.Close();
        if (_thread.IsAlive) _thread.Join();
        _cursor.Disconnect();
        _owned?.Dispose();
        _closing.Dispose();
    }

    private static PostgresOutbox OpenUnder(PostgresLease lease, PostgresDatabase database, Hash256 logId, OutboxOptions options, IRecordSink sink, OutboxNews news)
    {
        try
        {
            var outbox = Follow(database, logId, create: true, options, sink, news)!;
            (outbox._lease, outbox._owned) = (lease, lease);
            return outbox;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    private static AppendOutcome NotLeading => new(AppendStatus.Fenced, default, "this process follows the journal and does not write it");

    private static PostgresLease TakeOrWait(PostgresDatabase database, string name, string holder)
    {
        var began = database.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                // Before the question: an answer that came late says nothing about the time it took.
                var waited = database.Clock.GetElapsedTime(began);
                var (lease, other) = PostgresLease.TryTake(database, name, holder, fromNamesake: true);
                if (lease is not null) return lease;
                // Somebody who is still there after twice a lease's time renews it.
                if (waited > 2 * database.Options.Lease) throw new OutboxLockedException($"the {name} (held by {other})");
            }
            catch (Exception failure) when (PostgresFaults.NameOf(failure) is { } fault)
            {
                throw new OutboxUnavailableException($"outbox: {fault}", failure);
            }

            Thread.Sleep(ShortestPause);
        }
    }

    private void Run()
    {
        var taken = new List<OutboxRecord>();
        while (_queue.TakeGroup(taken, _options.MaxGroupBytes, _database.Options.PollInterval))
        {
            if (Trouble is { Status: AppendStatus.Failed } failed) Refuse(taken, failed);
            else if (LaidOut(taken) is { } group) Work(group);
        }

        _trouble ??= Tuple.Create(new AppendOutcome(AppendStatus.Failed, default, "the outbox is closed"));
        EndCatchUps(forGood: true);
    }

    private JournalGroup? LaidOut(List<OutboxRecord> taken)
    {
        try
        {
            return new JournalGroup(taken, _names);
        }
#pragma warning disable CA1031 // A record that cannot lay itself out ends the outbox by name, as it does in the segment log.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Refuse(taken, Fail(failure));
            return null;
        }
    }

    private void Work(JournalGroup group)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                if (!Step(group, attempt)) continue;
                Recovered();
                return;
            }
            catch (Exception failure) when (PostgresFaults.NameOf(failure) is { } name)
            {
                _cursor.Disconnect();
                if (Wait(name, attempt)) continue;
                group.GiveUp(new AppendOutcome(AppendStatus.Failed, default, $"closed while the database was away ({name}); whether the record is stored is known after a restart"));
                return;
            }
#pragma warning disable CA1031 // Whatever went wrong, nothing may be acknowledged after it: the outbox ends by name.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                group.GiveUp(Fail(failure));
                return;
            }
        }
    }

    private AppendOutcome Fail(Exception failure)
    {
        _cursor.Disconnect();
        var outcome = new AppendOutcome(AppendStatus.Failed, default, $"the outbox has failed: {failure.Message}");
        _trouble = Tuple.Create(outcome);
        EndCatchUps(forGood: true);
        _news.Interrupted(null);
        _news.Changed();
        return outcome;
    }

    private static void Refuse(List<OutboxRecord> records, AppendOutcome outcome)
    {
        foreach (var record in records) record.Complete(outcome);
    }

    /// <summary>One attempt; true when nothing of the group is left.</summary>
    private bool Step(JournalGroup group, int attempt)
    {
        _cursor.Connect(group);
        if (group.IsEmpty)
        {
            CatchUp(group);
            return true;
        }

        group.DropStale();
        if (group.IsEmpty) return true;
        if (_lease is not { } lease) return Refuse(group, NotLeading);
        try
        {
            if (attempt < AttemptsWithoutLock ? _cursor.Store(lease, group) : _cursor.StoreLocked(lease, group))
            {
                _database.Signals.Announce(_table.Log, _self);
                return true;
            }
        }
        catch (PostgresException refused) when (PostgresFaults.IsDuplicate(refused))
        {
            _cursor.SettleStored(group);
            return group.IsEmpty;
        }

        if (!_cursor.Holds(lease))
        {
            if (_lease == lease) _lease = null;
            _trouble = Tuple.Create(new AppendOutcome(AppendStatus.Fenced, default, $"another process has taken over the lease \"{lease.Name}\"; this one writes no more"));
            return Refuse(group, _trouble.Item1);
        }

        if (CatchUp(group) == 0) _cursor.RefuseForgotten();
        return group.IsEmpty;
    }

    private int CatchUp(JournalGroup group)
    {
        TaskCompletionSource[] waiting;
        lock (_gate) waiting = [.. _catchUps];
        var read = _cursor.CatchUp(group);
        lock (_gate) _catchUps.RemoveAll(waiting.Contains);
        foreach (var one in waiting) one.SetResult();
        return read;
    }

    private static bool Refuse(JournalGroup group, AppendOutcome outcome)
    {
        group.GiveUp(outcome);
        return true;
    }

    /// <summary>Waits a moment before the next attempt; false when the outbox is closing and its patience is over.</summary>
    private bool Wait(string name, int attempt)
    {
        _interruptedAt ??= _database.Clock.GetTimestamp();
        _news.Interrupted(name);
        if (_database.Clock.GetElapsedTime(_interruptedAt.Value) >= _database.Options.Patience || _queue.IsHalfFull)
            _trouble = Tuple.Create(new AppendOutcome(AppendStatus.Unavailable, default, $"{name}; what was acknowledged is safe, and the outbox goes on by itself"));
        var pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, ShortestPause.Ticks << Math.Min(attempt, 6)));
        if (!_closing.Wait(pause)) return true;
        Thread.Sleep(ShortestPause);
        return _database.Clock.GetElapsedTime(Volatile.Read(ref _closedAt)) < _database.Options.DrainLimit;
    }

    private void Recovered()
    {
        if (_interruptedAt is null) return;
        _interruptedAt = null;
        if (Trouble is { Status: AppendStatus.Unavailable }) _trouble = null;
        _news.Interrupted(null);
    }

    private void EndCatchUps(bool forGood)
    {
        lock (_gate)
        {
            _closed |= forGood;
            foreach (var one in _catchUps) one.SetResult();
            _catchUps.Clear();
        }
    }
}
