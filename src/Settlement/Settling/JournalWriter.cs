using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>The journal cannot take a record any more; only a restart helps.</summary>
public class SettlementStoppedException : Exception
{
    public SettlementStoppedException(string message) : base(message) { }

    public SettlementStoppedException() { }

    public SettlementStoppedException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>Another process writes this journal now. An engine ends with it; a worker goes back to following.</summary>
public sealed class LeaseLostException : SettlementStoppedException
{
    public LeaseLostException(string message) : base(message) { }

    public LeaseLostException() { }

    public LeaseLostException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>A record was made from a state that has changed since, by another process. Nothing was stored; the next pass decides anew.</summary>
internal sealed class StaleRecordException(string message) : Exception(message);

/// <summary>The settler's way to the journal: returns when the record is durable and applied, waits out a full disk or a database that is away, and ends the settler when the outbox has failed.</summary>
internal sealed class JournalWriter(IOutbox outbox, SettlementState state, ConditionBoard conditions, TimeProvider clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <exception cref="StaleRecordException">The record no longer fits the state.</exception>
    /// <exception cref="LeaseLostException">Another process writes now.</exception>
    /// <exception cref="SettlementStoppedException">The outbox has failed.</exception>
    public async Task AppendAsync(byte type, byte[] payload, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Not awaited past a stop: a database that is away may be so for long, and a restart finds whatever was stored.
            var outcome = await outbox.AppendNowAsync(type, payload, () => state.Fits(type, payload)).WaitAsync(cancellationToken).ConfigureAwait(false);
            switch (outcome.Status)
            {
                case AppendStatus.Durable:
                    conditions.Clear(ConditionKind.OutboxFull);
                    return;
                case AppendStatus.Failed:
                    conditions.Set(ConditionKind.OutboxFailed, outcome.Detail ?? "the outbox has failed", "restart the process; what was acknowledged is read back");
                    throw new SettlementStoppedException(outcome.Detail ?? "the outbox has failed");
                case AppendStatus.Fenced:
                    throw new LeaseLostException(outcome.Detail ?? "another process writes this journal");
                case AppendStatus.Stale:
                    throw new StaleRecordException(outcome.Detail ?? "the record no longer fits");
                case AppendStatus.DiskFull:
                    conditions.Set(ConditionKind.OutboxFull, outcome.Detail ?? "disk full", "free space; settlement goes on by itself");
                    break;
            }

            await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A durable record's payload; waits out a database that is away.</summary>
    public async Task<byte[]> ReadAsync(IOutbox from, RecordPosition position, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return from.Read(position);
            }
            catch (OutboxUnavailableException)
            {
                await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
