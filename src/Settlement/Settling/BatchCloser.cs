using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Decides when a settlement batch is closed, signs its checkpoint and opens the anchor. One anchor at a time is on its way, so none ever builds on one that may still fail.</summary>
internal sealed class BatchCloser(
    SettlementState state, JournalWriter journal, SigningEpochs epochs, INoteSigner notes, SettlementOptions options, Hash256 logId)
{
    private readonly ClosingDecision _decision = new(options);
    private volatile bool _asked;

    /// <summary>Close at the next occasion, however small and young the batch is.</summary>
    public void Ask() => _asked = true;

    public async Task CloseIfDueAsync(ChainObservation seen, CancellationToken cancellationToken)
    {
        var previousHead = Reconciler.HeadOf(seen);
        _decision.Saw(seen.BlockNumber, seen.BaseFee);
        var (size, root, reason) = state.Locked(view =>
        {
            var covered = Math.Max(Covered(view), LogHead.SizeOf(previousHead));
            return (view.Tree.Size, view.Tree.Root, Due(view, covered, seen.BaseFee));
        });
        if (reason == CloseReason.None) return;

        var signer = epochs.Signer;
        var epoch = signer.Epoch;
        var claim = new CheckpointClaim(logId, size, root, previousHead, options.ChainId, options.Contract);
        var note = SignedNote.Encode(notes.PublicKey, size, root, notes.SignNote(SignedNote.Text(logId, size, root)));
        var signed = new SignedCheckpoint(
            size, root, previousHead, options.ChainId, options.Contract, epoch.Id, signer.SignCheckpoint(claim), notes.PublicKey.ToArray(), note);
        var id = state.Locked(view => (ulong)view.Operations.Count);
        var opened = new OpenedRecord(state.Now(), id, OperationKind.Anchor, seen.BlockNumber, epoch.Address, epoch.Id, default, reason, signed);
        await journal.AppendAsync(RecordType.OperationOpened, opened.Encode(), cancellationToken).ConfigureAwait(false);
        _asked = false;
    }

    private static ulong Covered(SettlementState.View view) =>
        view.Operations.LastAnchor(operation => operation.AbandonedBecause is null)?.Checkpoint!.Size ?? 0;

    private CloseReason Due(SettlementState.View view, ulong covered, UInt128 baseFee)
    {
        if (view.Tree.Size <= covered) return CloseReason.None;
        var oldest = view.Index.AtLeaf(covered);
        var pace = options.Closing.Rule == ClosingRule.Adaptive ? AnchorPace.Of(view.Operations, options.Objective.Stage) : null;
        return _decision.Due(new(view.Tree.Size - covered, Since(oldest.DurableAt), Since(oldest.Since), pace, _asked), baseFee);
    }

    private TimeSpan Since(ulong time) => state.Now() is var now && now > time ? TimeSpan.FromTicks((long)((now - time) / 100)) : TimeSpan.Zero;
}
