using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
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

/// <summary>Answers about statements and receipts, open ones from memory and old ones from the archive.</summary>
internal sealed class Proofs(SettlementState state, ArchiveRecall recall, IOutbox outbox, EntryReader entries)
{
    private const int NoSuchFile = 2; // ENOENT

    public ReceiptStatus? Find(ReceiptId id) =>
        (state.Locked(view => view.Index.Find(id)) ?? recall.Find(id)) is var (entry, row)
            ? state.Locked(view => new ReceiptStatus(id, row.Row, row.Leaf, StatusOf(entry, view)) { Audit = view.Audits.Find(entry.Id, row.Row) })
            : null;

    public StatementStatus? Find(Hash256 id) =>
        (state.Locked(view => view.Index.Find(id)) ?? recall.Find(id)) is { } entry ? state.Locked(view => StatusOf(entry, view)) : null;

    public byte[]? ReadStatement(Hash256 id)
    {
        if (state.Locked(view => view.Index.Find(id)) is not { } entry) return recall.Find(id) is { } old ? ReadStatement(old.Position, old.Leaf) : null;
        var (isDurable, position, leaf) = Ask(entry, entry => (entry.DurableAt != 0, entry.Position, entry.Leaf));
        return isDurable ? ReadStatement(position, leaf) : null;
    }

    public IReadOnlyList<(uint Row, Hash256 Leaf)> LeavesOf(Hash256 id) => state.Locked(view => view.Index.Find(id)?.Rows.Leaves()) ?? recall.RowsOf(id)?.Leaves() ?? [];

    public ReceiptProof? Of(ReceiptId id) => Of(state.Locked(view => view.Index.Find(id)?.Entry) ?? recall.Find(id)?.Entry);

    public ReceiptProof? Of(Hash256 id) => Of(state.Locked(view => view.Index.Find(id)) ?? recall.Find(id));

    // The tree stands still for the path, so that reading old tiles holds nobody up.
    private ReceiptProof? Of(StatementEntry? entry)
    {
        if (entry is null) return null;
        var (proof, tree) = state.Locked(view => (ProofOf(entry, view), entry is { Leaf: not null, Anchor: not null } ? view.Tree.Freeze() : null));
        if (tree is null || proof.Checkpoint is not { } signed) return proof;
        var leaf = entry.Leaf!.Value;
        return proof with { Inclusion = new InclusionProof(leaf, signed.Size, tree.InclusionPath(leaf, signed.Size)) };
    }

    private T Ask<T>(StatementEntry entry, Func<StatementEntry, T> question) => state.Locked(_ => question(entry));

    // A pruned segment's statements are in the published log, as its leaves.
    private byte[]? ReadStatement(RecordPosition position, ulong? leaf)
    {
        try
        {
            return StatementRecord.StatementOf(outbox.Read(position));
        }
        catch (DiskException absent) when (absent.Errno == NoSuchFile && leaf is not null)
        {
            return entries.Read(leaf.Value);
        }
    }

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
        // The same anchor may have been read from the archive since.
        if (signed.Size == first.Size && signed.Root == first.Root && signed.PreviousHead == first.PreviousHead) return proof;
        var epoch = view.Index.AtLeaf(inclusion.LeafIndex).Epoch;
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
        if (entry is not { Leaf: not null, Anchor.Checkpoint: { } signed }) return new(entry.Id, entry.Stage, evidence, null, null, null, null);
        var other = signed.Epoch == entry.Epoch ? null : EvidenceOf(signed.Epoch, view);
        return new(entry.Id, entry.Stage, evidence, null, signed, other, entry.Anchor.Inclusion) { Cosignatures = LinesOf(entry.Anchor) };
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
