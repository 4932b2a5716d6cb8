using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>A transaction that was signed for an operation.</summary>
internal sealed record Attempt(ulong Nonce, UInt128 MaxPriorityFee, UInt128 MaxFee, ulong GasLimit, ulong AtBlock, ReadOnlyMemory<byte> Raw, Hash256 Hash);

/// <summary>
/// One thing that is to happen on the chain exactly once. Changed only by applying records, under the state's lock; the
/// settler reads it between its own appends, when nothing else can change it.
/// </summary>
internal sealed class ChainOperation(OpenedRecord opened)
{
    /// <summary>The record that began it.</summary>
    public OpenedRecord Opened => opened;

    public ulong Id => opened.Id;

    public OperationKind Kind => opened.Kind;

    public ulong OpenedAt => opened.Time;

    public ulong FromBlock => opened.FromBlock;

    public EvmAddress Signer => opened.Signer;

    public Hash256 Epoch => opened.Epoch;

    public EvmAddress Predecessor => opened.Predecessor;

    public CloseReason Reason => opened.Reason;

    /// <summary>Anchors only.</summary>
    public SignedCheckpoint? Checkpoint => opened.Checkpoint;

    /// <summary>The contract's head once this anchor is in a block; zero for registrations.</summary>
    public Hash256 Head => Checkpoint is { } signed ? LogHead.Pack(signed.Root, signed.Size) : default;

    /// <summary>Anchors only: signature lines of witnesses, in the order they came, one per witness.</summary>
    public List<ReadOnlyMemory<byte>> Cosignatures { get; } = [];

    /// <summary>First leaf that this anchor and no earlier one proves.</summary>
    public ulong FirstLeaf { get; set; }

    public List<Attempt> Attempts { get; } = [];

    public AnchorClaim? Inclusion { get; set; }

    public ulong IncludedAt { get; set; }

    public ulong FinalAt { get; set; }

    public ulong ReopenedAt { get; set; }

    public string? AbandonedBecause { get; set; }

    public bool IsFinal => FinalAt != 0;

    /// <summary>Neither in a block nor given up.</summary>
    public bool IsPending => Inclusion is null && AbandonedBecause is null;

    public override string ToString() => Kind == OperationKind.Anchor ? $"anchor {Id} (size {Checkpoint!.Size})" : $"registration {Id} of key {Signer}";
}
