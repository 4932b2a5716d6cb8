using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Settling;

namespace OpenGradient.Engine.Settlement.Workers;

/// <summary>A condition of one log, or of the worker itself.</summary>
/// <param name="LogId">Null for what concerns no single log.</param>
public sealed record WorkerCondition(Hash256? LogId, Condition Condition);

/// <summary>
/// Serves every log of one database: one worker leads by a lease, the others follow the journals and wait. Killing the
/// leader hands over within a lease's time; a leader that was only paused finds its number outdated and can write nothing
/// more. <see cref="RunAsync"/> is called once; everything else may be asked at any time.
/// </summary>
public sealed class JournalWorker
{
    // New engines are rare, and their first anchor waits for a block anyway.
    private static readonly TimeSpan DiscoverEvery = TimeSpan.FromSeconds(1);

    // A damaged journal is looked at again: its database may have been restored meanwhile.
    private static readonly TimeSpan ReopenAfter = TimeSpan.FromSeconds(30);

    private readonly PostgresDatabase _database;
    private readonly SettlementOptions _options;
    private readonly Func<LogReplica, IWorkerDuty> _duty;
    private readonly Action<LogReplica>? _opened;
    private readonly Action<Hash256>? _closed;
    private readonly string _holder;
    private readonly TimeProvider _clock;
    private readonly WakeSignal _wake = new();
    private readonly ConditionBoard _conditions;
    private readonly Lock _gate = new(); // guards the table of logs for those who ask
    private readonly Dictionary<Hash256, Served> _served = [];
    private readonly Dictionary<Hash256, long> _damaged = [];
    private PostgresLease? _lease;
    private long _discovered = long.MinValue;
    private long _takeOvers;

    private JournalWorker(
        PostgresDatabase database, string name, string holder, SettlementOptions options, TimeProvider clock,
        Func<LogReplica, IWorkerDuty> duty, Action<LogReplica>? opened = null, Action<Hash256>? closed = null)
    {
        (_database, Name, _holder, _options, _clock, _duty, _opened, _closed) = (database, name, holder, options, clock, duty, opened, closed);
        _conditions = new ConditionBoard(clock);
    }

    /// <summary>The lease's name: <c>settler</c> or <c>verifier</c>.</summary>
    public string Name { get; }

    public bool IsLeading => _lease is { IsLost: false };

    /// <summary>The number under which it writes; 0 while another leads.</summary>
    public long Fence => _lease is { IsLost: false } lease ? lease.Fence : 0;

    /// <summary>How often it began to lead.</summary>
    public long TakeOvers => Interlocked.Read(ref _takeOvers);

    /// <summary>Logs that it follows.</summary>
    public int Logs
    {
        get { lock (_gate) return _served.Count; }
    }

    public IReadOnlyList<WorkerCondition> Conditions
    {
        get
        {
            lock (_gate)
                return [.. _conditions.Now.Select(own => new WorkerCondition(null, own)), .. _served.Values.SelectMany(served => served.Replica.Conditions.Now.Select(condition => new WorkerCondition(served.Replica.LogId, condition)))];
        }
    }

    /// <summary>One worker that anchors for every engine with a journal in the database. One account pays for all.</summary>
    /// <param name="holder">This process, for others to read.</param>
    public static JournalWorker Settler(PostgresDatabase database, string holder, SettlementOptions options, RpcClient rpc, ITransactionSigner account, TimeProvider clock)
    {
        options.Validate();
        var chain = new EvmChain(rpc, options.Contract);
        var nonces = new AccountNonces();
        return new JournalWorker(
            database, "settler", holder, options, clock,
            replica => new AnchoringDuty(replica, chain, account, nonces, options), replica => nonces.Add(replica.LogId, replica.State), nonces.Remove);
    }

    /// <summary>One worker that verifies for every engine that does not do so itself.</summary>
    /// <param name="verifierOf">The check of one log's statements.</param>
    public static JournalWorker Verifier(PostgresDatabase database, string holder, SettlementOptions options, Func<Hash256, LogVerifier> verifierOf, TimeProvider clock)
    {
        options.Validate();
        return new JournalWorker(database, "verifier", holder, options, clock, replica => new VerifyingDuty(replica, verifierOf(replica.LogId), options));
    }

    /// <summary>Follows, leads when it may, until cancelled. What stops one log does not stop the others.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await PassAsync(cancellationToken).ConfigureAwait(false);
                await _wake.WaitAsync(_options.PollInterval, _clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            StopLeading();
            lock (_gate)
            {
                foreach (var served in _served.Values) served.Replica.Dispose();
                _served.Clear();
            }
        }
    }

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        try
        {
            Discover();
            if (!await LeadAsync(cancellationToken).ConfigureAwait(false)) return;
            _conditions.Clear(ConditionKind.OutboxUnreachable);
            foreach (var served in _served.Values.ToArray()) await ServeAsync(served, cancellationToken).ConfigureAwait(false);
        }
        catch (LeaseLostException)
        {
            StopLeading();
        }
        catch (Exception failure) when (failure is OutboxUnavailableException || PostgresFaults.NameOf(failure) is not null)
        {
            _conditions.Set(ConditionKind.OutboxUnreachable, PostgresFaults.NameOf(failure) ?? failure.Message, "check the database; settlement goes on by itself");
        }
    }

    private async Task ServeAsync(Served served, CancellationToken cancellationToken)
    {
        try
        {
            await served.Duty!.TickAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception passing) when (passing is StaleRecordException or OutboxUnavailableException)
        {
            // The engine was faster, or the database is away: the next pass decides anew.
        }
        catch (SettlementStoppedException stopped) when (stopped is not LeaseLostException)
        {
            Close(served.Replica.LogId, stopped.Message);
        }
    }

    private void Discover()
    {
        foreach (var failed in _served.Values.Where(served => served.Replica.Outbox.Trouble is { Status: AppendStatus.Failed }).ToArray())
            Close(failed.Replica.LogId, failed.Replica.Outbox.Trouble!.Value.Detail ?? "the outbox has failed");
        if (_discovered != long.MinValue && _clock.GetElapsedTime(_discovered) < DiscoverEvery) return;
        _discovered = _clock.GetTimestamp();
        List<Hash256> logs;
        using (var connection = _database.Connect()) logs = JournalTable.Logs(connection);
        foreach (var logId in logs)
            if (!_served.ContainsKey(logId) && (!_damaged.TryGetValue(logId, out var since) || _clock.GetElapsedTime(since) >= ReopenAfter)) Open(logId);
        if (_damaged.Count == 0) _conditions.Clear(ConditionKind.OutboxFailed);
    }

    private void Open(Hash256 logId)
    {
        try
        {
            if (LogReplica.Open(_database, logId, _options, _wake.Set, _clock) is not { } replica) return;
            _damaged.Remove(logId);
            _opened?.Invoke(replica);
            lock (_gate) _served[logId] = new Served(replica);
            if (_lease is { IsLost: false } lease) Lead(_served[logId], lease);
        }
        catch (Exception damage) when (damage is OutboxDamagedException or FormatException)
        {
            NoteDamage(logId, damage.Message);
        }
    }

    private void Close(Hash256 logId, string why)
    {
        Served? served;
        lock (_gate) _served.Remove(logId, out served);
        _closed?.Invoke(logId);
        served?.Replica.Dispose();
        NoteDamage(logId, why);
    }

    private void NoteDamage(Hash256 logId, string what)
    {
        _damaged[logId] = _clock.GetTimestamp();
        _conditions.Set(ConditionKind.OutboxFailed, $"log {logId} is not served: {what}", "the other logs are; it is tried again by itself");
    }

    private async Task<bool> LeadAsync(CancellationToken cancellationToken)
    {
        if (_lease is { IsLost: false }) return true;
        StopLeading();
        if (PostgresLease.TryTake(_database, Name, _holder, fromNamesake: false).Lease is not { } lease) return false;
        try
        {
            // What the last leader wrote comes first: nothing may be decided on less.
            foreach (var served in _served.Values) await served.Replica.Outbox.CatchUpAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            lease.Dispose();
            throw;
        }

        _lease = lease;
        foreach (var served in _served.Values) Lead(served, lease);
        Interlocked.Increment(ref _takeOvers);
        return true;
    }

    private void Lead(Served served, PostgresLease lease)
    {
        served.Replica.Outbox.Lead(lease);
        served.Duty = _duty(served.Replica); // anew: what an earlier term remembered of the chain is old
    }

    private void StopLeading()
    {
        if (_lease is not { } lease) return;
        foreach (var served in _served.Values) served.Replica.Outbox.Rest();
        _lease = null;
        lease.Dispose();
    }

    private sealed class Served(LogReplica replica)
    {
        public LogReplica Replica => replica;

        /// <summary>Null until this worker leads.</summary>
        public IWorkerDuty? Duty { get; set; }
    }
}
