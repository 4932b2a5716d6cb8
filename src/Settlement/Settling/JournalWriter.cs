using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>The journal cannot take a record any more; only a restart helps.</summary>
public sealed class SettlementStoppedException : Exception
{
    public SettlementStoppedException(string message) : base(message) { }

    public SettlementStoppedException() { }

    public SettlementStoppedException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>The settler's way to the journal: returns when the record is durable and applied, waits out a full disk, and ends the settler when the outbox has failed.</summary>
internal sealed class JournalWriter(IOutbox outbox, ConditionBoard conditions, TimeProvider clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public async Task AppendAsync(byte type, byte[] payload, CancellationToken cancellationToken)
    {
        while (true)
        {
            var outcome = await outbox.AppendNowAsync(type, payload).ConfigureAwait(false);
            switch (outcome.Status)
            {
                case AppendStatus.Durable:
                    conditions.Clear(ConditionKind.OutboxFull);
                    return;
                case AppendStatus.Failed:
                    conditions.Set(ConditionKind.OutboxFailed, outcome.Detail ?? "the outbox has failed", "restart the process; what was acknowledged is read back");
                    throw new SettlementStoppedException(outcome.Detail ?? "the outbox has failed");
                case AppendStatus.DiskFull:
                    conditions.Set(ConditionKind.OutboxFull, outcome.Detail ?? "disk full", "free space; settlement goes on by itself");
                    break;
            }

            await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }
}
