using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>Answers about statements that are in the archive alone. Reads beside the state's lock; an entry that it gives is a copy.</summary>
internal sealed class ArchiveRecall(SettlementState state, StatementArchive archive)
{
    public StatementEntry? Find(in Hash256 id) => archive.Find(id) is { } old ? EntryOf(old) : null;

    public (StatementEntry Entry, StatementRow Row)? Find(in ReceiptId id) => archive.Find(id) is var (old, row) ? (EntryOf(old), row) : null;

    public RowSet? RowsOf(in Hash256 id) => archive.Find(id) is { } old ? archive.ReadRows(old) : null;

    public static StatementEntry ToEntry(ArchivedStatement old, in Hash256 epoch, ChainOperation anchor) => new(old.Id)
    {
        Position = old.Position, Epoch = epoch, Sequence = old.Sequence, Receipts = old.Receipts, ExecutedAt = old.ExecutedAt, DurableAt = old.DurableAt,
        VerifiedAt = old.VerifiedAt, Leaf = old.Leaf, Anchor = anchor, Since = old.ExecutedAt, Series = ModelSeries.Unnamed, IsJudged = true,
    };

    private StatementEntry EntryOf(ArchivedStatement old) =>
        ToEntry(old, archive.EpochOf(old), state.Locked(view => view.Operations.Recent(old.Anchor)) ?? archive.ReadOperation(old.Anchor));
}
