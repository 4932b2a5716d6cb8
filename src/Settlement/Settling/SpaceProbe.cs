using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// Finds out that a full disk has space again. While the outbox is full nothing is admitted, so once everything open has
/// settled nobody else would write, and it would stay full for ever.
/// </summary>
internal sealed class SpaceProbe(IOutbox outbox, JournalWriter journal, SettlementState state, Epoch epoch)
{
    /// <summary>Returns at once, or when the outbox has taken a record again: the epoch's own, which says nothing new.</summary>
    public Task RegainAsync(CancellationToken cancellationToken) => outbox.Trouble is { Status: AppendStatus.DiskFull }
        ? journal.AppendAsync(RecordType.EpochAnnounced, new EpochRecord(state.Now(), epoch).Encode(), cancellationToken)
        : Task.CompletedTask;
}
