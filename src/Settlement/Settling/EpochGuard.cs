using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>What a statement that does not hold does to the key that signed it.</summary>
internal sealed class EpochGuard(SettlementState state, JournalWriter journal, RunningEpochs epochs, ConditionBoard conditions, SettlementOptions options)
{
    /// <summary>Whether the running epoch's key may be registered and may sign checkpoints.</summary>
    public bool MaySign()
    {
        if (epochs.Halt is not { } halt)
        {
            conditions.Clear(ConditionKind.EpochHalted);
            return true;
        }

        conditions.Set(ConditionKind.EpochHalted, $"this process's keys sign nothing more: {halt.Reason}", "find out why before a restart begins a new epoch; what was verified settles with it");
        return false;
    }

    /// <summary>Halts the epoch of a statement that failed, if it is a running one and the policy says so. Comes before the quarantine, so that a crash between the two stops the key too.</summary>
    public async Task OnBadAsync(StatementEntry entry, IReadOnlyList<VerificationReason> reasons, CancellationToken cancellationToken)
    {
        var epoch = entry.Epoch;
        if (!options.HaltOnBadStatement || !epochs.MayHalt(epoch) || state.Halts.ContainsKey(epoch)) return;
        var why = $"statement {entry.Id} did not verify ({string.Join(", ", reasons.Select(reason => reason.Text()))})";
        await journal.AppendAsync(RecordType.EpochHalted, new HaltedRecord(new EpochHalt(epoch, state.Now(), entry.Id, why)).Encode(), cancellationToken).ConfigureAwait(false);
    }
}
