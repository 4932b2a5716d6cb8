using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

public enum SubmitStatus
{
    /// <summary>Durable now.</summary>
    Accepted,

    /// <summary>It was known and durable already.</summary>
    AlreadyKnown,

    /// <summary>A check failed; nothing was stored.</summary>
    Refused,

    /// <summary>It could not be stored now; try again.</summary>
    Unavailable,
}

/// <summary>What became of a resubmitted receipt.</summary>
public sealed record SubmitOutcome(SubmitStatus Status, IReadOnlyList<VerificationReason> Reasons, string? Detail);

/// <summary>The way in: sealed batches from the fast path, single receipts from their holders. Idempotent by statement and row.</summary>
internal sealed class Submission(SettlementState state, ArchiveRecall recall, IOutbox outbox, IStatementVerifier verifier, WakeSignal wake, Hash256 logId)
{
    public bool TryAccept(SealedBatch batch)
    {
        if (outbox.Trouble is not null) return false;
        var arrival = new ArrivingBatch(state, batch, wake);
        if (!outbox.TryAppend(arrival)) return false;
        state.Arrive(arrival);
        return true;
    }

    public async Task<SubmitOutcome> SubmitAsync(Receipt receipt)
    {
        Statement statement;
        try
        {
            statement = Statement.Decode(receipt.Statement.Span);
        }
        catch (FormatException malformed)
        {
            return new(SubmitStatus.Refused, [VerificationReason.StatementMalformed], malformed.Message);
        }

        // Before the look-up: an id names the leaf alone, and whatever else was changed must not pass for what is known.
        if (Check(receipt, statement) is { Count: > 0 } reasons) return new(SubmitStatus.Refused, reasons, null);
        if (state.Locked(view => view.Index.Find(receipt.Id) is { Entry.DurableAt: not 0 })) return new(SubmitStatus.AlreadyKnown, [], null);
        if (recall.Find(receipt.Id) is not null) return new(SubmitStatus.AlreadyKnown, [], null);
        var outcome = await Store(receipt).ConfigureAwait(false);
        return outcome.IsDurable ? new(SubmitStatus.Accepted, [], null) : new(SubmitStatus.Unavailable, [], outcome.Detail);
    }

    // Checked before it is stored, so that strangers cannot fill the disk.
    private IReadOnlyList<VerificationReason> Check(Receipt receipt, Statement statement)
    {
        if (statement.LogId != logId) return [VerificationReason.LogNotTrusted];
        if (receipt.Row >= statement.Receipts) return [VerificationReason.RowOutsideBatch];
        if (MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, statement.Receipts, receipt.Path) != statement.RowsRoot) return [VerificationReason.RowNotInBatch];
        return verifier.Verify(receipt.Statement);
    }

    private async Task<AppendOutcome> Store(Receipt receipt)
    {
        var record = new StatementRecord(state.Now(), receipt.Statement, [new(receipt.Row, receipt.Id, receipt.LeafHash)]);
        var entry = state.Locked(view =>
        {
            var id = receipt.StatementId;
            var known = view.FindOrEnter(id, StatementHead.Read(receipt.Statement.Span), receipt.Statement.Span, record.Time);
            // Findable at once, so that a caller can wait for its receipt; a row of a durable statement only once it is stored.
            if (known.DurableAt == 0) view.Index.AddRow(known, new(receipt.Row, receipt.Id, receipt.LeafHash));
            return known;
        });
        var outcome = await outbox.AppendAsync(RecordType.Statement, record.Encode()).ConfigureAwait(false);
        if (outcome.IsDurable) wake.Set();
        else state.Forget(entry);
        return outcome;
    }
}
