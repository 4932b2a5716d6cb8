using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

/// <summary>The parts of a bundle that grow behind a receipt, as far as they have.</summary>
/// <param name="Evidence">Of the epoch that signed the statement, when this engine has it.</param>
/// <param name="CheckpointEvidence">Of the epoch that signed the checkpoint, when it is another one.</param>
public sealed record ReceiptProof(
    Hash256 StatementId, ReceiptStage Stage, Evidence? Evidence, InclusionProof? Inclusion, SignedCheckpoint? Checkpoint, Evidence? CheckpointEvidence, AnchorClaim? Anchor)
{
    /// <summary>Signature lines of witnesses under the checkpoint; empty: none yet.</summary>
    public ReadOnlyMemory<byte> Cosignatures { get; init; }

    /// <summary>That the inclusion proof's tree is a prefix of the checkpoint's; null when they are one tree.</summary>
    public Hash256[]? Consistency { get; init; }

    /// <summary>The bundle of a receipt that belongs to this statement.</summary>
    public ReceiptBundle BundleOf(Receipt receipt) => new()
    {
        Receipt = receipt, Evidence = Evidence, Inclusion = Inclusion, Checkpoint = Checkpoint, CheckpointEvidence = CheckpointEvidence, Anchor = Anchor,
        Cosignatures = Cosignatures, Consistency = Consistency,
    };
}

/// <summary>Answers about statements and receipts.</summary>
internal sealed class Proofs(SettlementState state, IOutbox outbox)
{
    public ReceiptStatus? Find(ReceiptId id) => state.Locked(view =>
        view.Index.Find(id) is { } found ? new ReceiptStatus(id, found.Row.Row, found.Row.Leaf, StatusOf(found.Entry, view)) { Audit = view.Audits.Find(found.Entry.Id, found.Row.Row) } : null);

    public StatementStatus? Find(Hash256 id) => state.Locked(view => view.Index.Find(id) is { } entry ? StatusOf(entry, view) : null);

    public byte[]? ReadStatement(Hash256 id)
    {
        var position = state.Locked(view => view.Index.Find(id) is { DurableAt: not 0 } entry ? entry.Position : default(RecordPosition?));
        return position is { } at ? StatementRecord.StatementOf(outbox.Read(at)) : null;
    }

    public IReadOnlyList<(uint Row, Hash256 Leaf)> LeavesOf(Hash256 id) => state.Locked(view =>
        view.Index.Find(id)?.Rows is { } rows ? rows.Leaves() : []);

    public ReceiptProof? Of(ReceiptId id) => state.Locked(view => view.Index.Find(id) is { } found ? ProofOf(found.Entry, view) : null);

    public ReceiptProof? Of(Hash256 id) => state.Locked(view => view.Index.Find(id) is { } entry ? ProofOf(entry, view) : null);

    /// <summary>A proof under the anchored checkpoint of this size, or under the newest final one: what proves an old receipt from a new anchor.</summary>
    /// <param name="size">Null: the newest final anchor's.</param>
    /// <returns>Null when no anchor of that size is in a block, or it does not cover the statement.</returns>
    public ReceiptProof? Under(ReceiptProof proof, ulong? size) => state.Locked(view =>
    {
        if (proof.Inclusion is not { } inclusion || proof.Checkpoint is not { } first) return null;
        if (size is null && NewestFinal(view) is null) return proof;
        var at = size is { } wanted
            ? view.Operations.LastOrDefault(operation => operation.Checkpoint?.Size == wanted && operation.Inclusion is not null)
            : NewestFinal(view);
        if (at?.Checkpoint is not { } signed || signed.Size < inclusion.TreeSize) return size is null ? proof : null;
        if (signed == first) return proof;
        var epoch = view.Index.Find(proof.StatementId)?.Epoch;
        return proof with
        {
            Stage = at.IsFinal ? ReceiptStage.Final : ReceiptStage.Anchored,
            Checkpoint = signed,
            CheckpointEvidence = signed.Epoch == epoch ? null : EvidenceOf(signed.Epoch, view),
            Anchor = at.Inclusion,
            Cosignatures = LinesOf(at),
            Consistency = signed.Size == inclusion.TreeSize ? null : view.Tree.ConsistencyProof(inclusion.TreeSize, signed.Size),
        };
    });

    private static ChainOperation? NewestFinal(SettlementState.View view) => view.Operations.LastOrDefault(operation => operation is { Checkpoint: not null, IsFinal: true });

    private static byte[] LinesOf(ChainOperation operation) => [.. operation.Cosignatures.SelectMany(line => line.ToArray())];

    private static ReceiptProof ProofOf(StatementEntry entry, SettlementState.View view)
    {
        var evidence = EvidenceOf(entry.Epoch, view);
        if (entry is not { Leaf: { } leaf, Anchor.Checkpoint: { } signed }) return new(entry.Id, entry.Stage, evidence, null, null, null, null);
        var inclusion = new InclusionProof(leaf, signed.Size, view.Tree.InclusionPath(leaf, signed.Size));
        var other = signed.Epoch == entry.Epoch ? null : EvidenceOf(signed.Epoch, view);
        return new(entry.Id, entry.Stage, evidence, inclusion, signed, other, entry.Anchor.Inclusion) { Cosignatures = LinesOf(entry.Anchor) };
    }

    private static Evidence? EvidenceOf(Hash256 epoch, SettlementState.View view) =>
        view.Epochs.TryGetValue(epoch, out var known) ? Evidence.Decode(known.Evidence.Span) : null;

    private static StatementStatus StatusOf(StatementEntry entry, SettlementState.View view) => StatusOf(entry) with { Audits = view.Audits.Of(entry.Id) };

    public static StatementStatus StatusOf(StatementEntry entry) => new(entry.Id, entry.Stage)
    {
        Epoch = entry.Epoch,
        Receipts = entry.Receipts,
        ExecutedAt = entry.ExecutedAt,
        DurableAt = Since(entry.DurableAt),
        VerifiedAt = Since(entry.VerifiedAt),
        QuarantinedAt = Since(entry.QuarantinedAt),
        Reasons = entry.Reasons,
        Leaf = entry.Leaf,
        AnchoredAt = entry.Anchor is { Inclusion: not null } ? Since(entry.Anchor.IncludedAt) : null,
        FinalAt = Since(entry.Anchor?.FinalAt ?? 0),
        ReopenedAt = Since(entry.Anchor?.ReopenedAt ?? 0),
        Inclusion = entry.Anchor?.Inclusion,
        ClosedBecause = entry.Anchor?.Reason ?? CloseReason.None,
    };

    private static ulong? Since(ulong time) => time == 0 ? null : time;
}
