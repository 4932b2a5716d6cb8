using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Workers;

/// <summary>What a worker knows of one log: the same state as its engine's, by the same code, from the same records. Kept up to date while another worker leads, so that a take-over begins warm.</summary>
internal sealed class LogReplica : IDisposable
{
    private LogReplica(Hash256 logId, SettlementState state, PostgresOutbox outbox, ConditionBoard conditions, TimeProvider clock)
    {
        (LogId, State, Outbox, Conditions) = (logId, state, outbox, conditions);
        Journal = new JournalWriter(outbox, state, conditions, clock);
    }

    public Hash256 LogId { get; }

    public SettlementState State { get; }

    public PostgresOutbox Outbox { get; }

    public ConditionBoard Conditions { get; }

    public JournalWriter Journal { get; }

    /// <summary>Null when there is no such log any more.</summary>
    /// <exception cref="OutboxDamagedException">The journal is damaged.</exception>
    /// <exception cref="OutboxUnavailableException">The database does not answer.</exception>
    public static LogReplica? Open(PostgresDatabase database, Hash256 logId, SettlementOptions options, Action wake, TimeProvider clock)
    {
        // Publishing is the engine's: no tile is ever marked as stored here, so none is read and the whole tree stays in memory, 32 bytes a statement.
        var nowhere = new TileStore(new LinuxDisk(), Path.Combine(options.DataFolder, "log"));
        var state = new SettlementState(nowhere, new StatementArchive(new LinuxDisk(), Path.Combine(options.DataFolder, "archive")), options.Objective, clock);
        var conditions = new ConditionBoard(clock);
        var news = new OutboxNews(wake, name =>
        {
            if (name is null) conditions.Clear(ConditionKind.OutboxUnreachable);
            else conditions.Set(ConditionKind.OutboxUnreachable, name, "check the database; what was acknowledged is safe, and appends go on by themselves");
        });
        return PostgresOutbox.Follow(database, logId, create: false, options.Outbox, state, news) is { } outbox
            ? new LogReplica(logId, state, outbox, conditions, clock)
            : null;
    }

    public void Dispose() => Outbox.Dispose();
}

/// <summary>What a worker does for one log while it leads.</summary>
internal interface IWorkerDuty
{
    /// <summary>One pass, without waiting for what others must do first.</summary>
    Task TickAsync(CancellationToken cancellationToken);
}
