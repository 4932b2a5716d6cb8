using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>From durable to the log: verify, then give each verified statement its leaf. Needs no chain.</summary>
internal sealed class Intake(SettlementState state, IOutbox outbox, JournalWriter journal, IStatementVerifier verifier, EpochGuard? guard, SequenceGate? gate)
{
    /// <summary>Statements per journal record. 1,024: one sync for many, and a record of 32 KiB.</summary>
    private const int Batch = 1024;

    /// <summary>Statements that are checked at once. 64: some three milliseconds of signatures; for fewer the other threads are not worth waking.</summary>
    private const int Backlog = 64;

    /// <summary>
    /// Re-checks every statement that is durable by now and records the outcome. Those that come meanwhile are the next pass's:
    /// under a load that verification barely keeps up with, what is verified would otherwise never reach the log.
    /// </summary>
    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        var due = state.Locked(view => view.Unverified.Count);
        while (due > 0 && Take(view => view.Unverified, entry => entry is { VerifiedAt: 0, QuarantinedAt: 0 }) is { Count: > 0 } entries)
        {
            due -= entries.Count;
            var (passed, failed) = (new List<StatementEntry>(entries.Count), new List<StatementEntry>());
            var appends = new List<Task>();
            var outcomes = await CheckAsync(entries, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < entries.Count; i++)
            {
                var (entry, reasons) = (entries[i], outcomes[i]);
                (reasons.Count == 0 ? passed : failed).Add(entry);
                if (reasons.Count == 0) continue;
                if (guard is not null) await guard.OnBadAsync(entry, reasons, cancellationToken).ConfigureAwait(false);
                appends.Add(journal.AppendAsync(RecordType.Quarantined, new QuarantinedRecord(state.Now(), entry.Id, [.. reasons]).Encode(), cancellationToken));
            }

            if (passed.Count > 0) appends.Add(journal.AppendAsync(RecordType.Dated, Dated(passed, true).Encode(), cancellationToken));
            if (failed.Count > 0) appends.Add(journal.AppendAsync(RecordType.Dated, Dated(failed, false).Encode(), cancellationToken));
            await Task.WhenAll(appends).ConfigureAwait(false);
        }
    }

    /// <summary>The times of what is durable and not verified: the last that a stopping host writes, so that the next start tells the same. Null when there is nothing to tell.</summary>
    public byte[]? LastTimes()
    {
        var waiting = state.Locked(view => view.Unverified.Where(entry => entry is { VerifiedAt: 0, QuarantinedAt: 0 }).Take(Batch).ToList());
        return waiting.Count > 0 ? Dated(waiting, false).Encode() : null;
    }

    /// <summary>Appends every verified statement to the log, in the order of verification.</summary>
    public async Task SequenceAsync(CancellationToken cancellationToken)
    {
        while (gate is not { IsClosed: true } && Take(view => view.Unsequenced, entry => entry.Leaf is null) is { Count: > 0 } entries)
        {
            var first = state.Locked(view => view.Tree.Size);
            var record = new SequencedRecord(state.Now(), first, [.. entries.Select(entry => entry.Id)]);
            try
            {
                await journal.AppendAsync(RecordType.Sequenced, record.Encode(), cancellationToken).ConfigureAwait(false);
            }
            catch (StaleRecordException)
            {
                GiveBack(entries);
                throw;
            }
        }
    }

    private DatedRecord Dated(List<StatementEntry> entries, bool areVerified) => state.Locked(_ =>
        new DatedRecord(state.Now(), areVerified, [.. entries.Select(entry => entry.Id)], [.. entries.Select(entry => entry.DurableAt)]));

    /// <summary>The reasons by entry. A backlog is checked by every core: while it lasts each receipt of it waits, and the gap grows.</summary>
    private async Task<IReadOnlyList<VerificationReason>[]> CheckAsync(List<StatementEntry> entries, CancellationToken cancellationToken)
    {
        var outcomes = new IReadOnlyList<VerificationReason>[entries.Count];
        for (var from = 0; from < entries.Count; from += Backlog)
        {
            // Read by one thread, in order: a simulated disk then sees the same reads again.
            var records = new byte[Math.Min(Backlog, entries.Count - from)][];
            for (var i = 0; i < records.Length; i++) records[i] = await journal.ReadAsync(outbox, entries[from + i].Position, cancellationToken).ConfigureAwait(false);
            if (records.Length == Backlog) Parallel.For(0, records.Length, i => outcomes[from + i] = Check(records[i]));
            else for (var i = 0; i < records.Length; i++) outcomes[from + i] = Check(records[i]);
        }

        return outcomes;
    }

    private IReadOnlyList<VerificationReason> Check(byte[] record)
    {
        var reasons = verifier.Verify(StatementRecord.StatementOf(record));
        return RowInclusion.Holds(record) ? reasons : [.. reasons, VerificationReason.RowNotInBatch];
    }

    /// <summary>Lets go of what another process verifies and has verified.</summary>
    public void SkipVerified() => state.Locked(view =>
    {
        while (view.Unverified.TryPeek(out var entry) && entry is not { VerifiedAt: 0, QuarantinedAt: 0 }) view.Unverified.Dequeue();
    });

    /// <summary>Lets go of what another process has given its leaf.</summary>
    public void SkipSequenced() => state.Locked(view =>
    {
        while (view.Unsequenced.TryPeek(out var entry) && entry.Leaf is not null) view.Unsequenced.Dequeue();
    });

    private void GiveBack(List<StatementEntry> entries) => state.Locked(view =>
    {
        foreach (var entry in entries) view.Unsequenced.Enqueue(entry);
    });

    // After a replay the queues also hold what later records have settled.
    private List<StatementEntry> Take(Func<SettlementState.View, Queue<StatementEntry>> choose, Predicate<StatementEntry> waits) => state.Locked(view =>
    {
        var queue = choose(view);
        var taken = new List<StatementEntry>();
        while (taken.Count < Batch && queue.TryDequeue(out var entry))
            if (waits(entry)) taken.Add(entry);
        return taken;
    });
}
