using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>A sealed batch between the fast path, which only makes this, and stable storage.</summary>
internal sealed class ArrivingBatch(SettlementState state, SealedBatch batch, WakeSignal wake) : OutboxRecord
{
    // A leaf's preimage, its share of the tree and its receipt id.
    private const int HeldPerRow = RowLeaf.Size + (2 * Hash256.Size) + ReceiptId.Size;

    private readonly ulong _time = state.Now();

    public SealedBatch Batch => batch;

    public StatementHead Head { get; } = StatementHead.Read(batch.Statement.Span);

    /// <summary>Where it is indexed; null before that. Guarded by the state's lock.</summary>
    public StatementEntry? Entry { get; set; }

    /// <summary>It was stored, or it never will be. Guarded by the state's lock.</summary>
    public bool IsOver { get; set; }

    public override byte Type => RecordType.Batch;

    public override int Length => BatchRecord.SizeOf(batch.Statement.Length, batch.Count);

    public override int Held => batch.Statement.Length + (batch.Count * HeldPerRow);

    public override Hash256? Name => batch.StatementId;

    public override void Write(Span<byte> payload) => new BatchRecord(_time, batch.Statement.Span, batch.ReceiptIds, batch.LeafHashes).Write(payload);

    public override void Apply(IRecordSink sink, RecordPosition position, ReadOnlySpan<byte> payload) => state.Settle(this, position);

    public override void Complete(AppendOutcome outcome)
    {
        if (outcome.IsDurable) wake.Set();
        else state.Forget(this);
    }
}
