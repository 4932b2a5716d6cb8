using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Decides when a settlement batch is closed, signs its checkpoint and opens the anchor. One anchor at a time is on its way, so none ever builds on one that may still fail.</summary>
internal sealed class BatchCloser(
    SettlementState state, JournalWriter journal, LogWriter log, ICheckpointSigner signer, INoteSigner notes, SettlementOptions options, Hash256 logId)
{
    private volatile bool _asked;

    /// <summary>Close at the next occasion, however small and young the batch is.</summary>
    public void Ask() => _asked = true;

    public async Task CloseIfDueAsync(ChainObservation seen, CancellationToken cancellationToken)
    {
        var previousHead = Reconciler.HeadOf(seen);
        var (size, root, reason) = state.Locked(view =>
        {
            var covered = Math.Max(Covered(view), LogHead.SizeOf(previousHead));
            return (view.Tree.Size, view.Tree.Root, Due(view, covered));
        });
        if (reason == CloseReason.None) return;

        var epoch = signer.Epoch;
        var claim = new CheckpointClaim(logId, size, root, previousHead, options.ChainId, options.Contract);
        var note = SignedNote.Encode(notes.PublicKey, size, root, notes.SignNote(SignedNote.Text(logId, size, root)));
        var signed = new SignedCheckpoint(
            size, root, previousHead, options.ChainId, options.Contract, epoch.Id, signer.SignCheckpoint(claim), notes.PublicKey.ToArray(), note);
        var id = state.Locked(view => (ulong)view.Operations.Count);
        var opened = new OpenedRecord(state.Now(), id, OperationKind.Anchor, seen.BlockNumber, epoch.Address, epoch.Id, default, reason, signed);
        await journal.AppendAsync(RecordType.OperationOpened, opened.Encode(), cancellationToken).ConfigureAwait(false);
        _asked = false;
        log.Due(size, note);
    }

    private static ulong Covered(SettlementState.View view) =>
        view.Operations.LastAnchor(operation => operation.AbandonedBecause is null)?.Checkpoint!.Size ?? 0;

    private CloseReason Due(SettlementState.View view, ulong covered)
    {
        if (view.Tree.Size <= covered) return CloseReason.None;
        if (view.Tree.Size - covered >= (ulong)options.MaxBatchStatements) return CloseReason.Full;
        var age = state.Now() - Math.Min(state.Now(), view.Index.AtLeaf(covered).DurableAt);
        if (age / 100 >= (ulong)options.MaxBatchAge.Ticks) return CloseReason.Age;
        return _asked ? CloseReason.Asked : CloseReason.None;
    }
}
