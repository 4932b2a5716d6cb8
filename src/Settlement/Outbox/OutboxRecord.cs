using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// One record on its way to disk. It is laid out by the writer's thread, straight into the group that is written, so
/// that whoever hands it over does no more than that.
/// </summary>
public abstract class OutboxRecord
{
    /// <summary>What the record says; not zero.</summary>
    public abstract byte Type { get; }

    /// <summary>Bytes of payload; constant.</summary>
    public abstract int Length { get; }

    /// <summary>Bytes of memory that it keeps while it waits: what the queue's bound counts.</summary>
    public virtual int Held => Length;

    /// <summary>Names what the record makes durable: an outbox that can tell stores equal names once. Null for a record that is like no other.</summary>
    public virtual Hash256? Name => null;

    /// <summary>Whether it still fits everything applied so far. Asked by the writer, right before it writes; a record that no longer does is not stored.</summary>
    public virtual bool Holds => true;

    /// <summary>Writes exactly <see cref="Length"/> bytes. Called once, by the writer.</summary>
    public abstract void Write(Span<byte> payload);

    /// <summary>It is on stable storage. Called by the writer, in journal order, before <see cref="Complete"/>.</summary>
    public virtual void Apply(IRecordSink sink, RecordPosition position, ReadOnlySpan<byte> payload) => sink.Apply(position, Type, payload);

    /// <summary>The last call: what became of it. From any thread, and perhaps after later records were applied. Must be short and must not throw.</summary>
    public abstract void Complete(AppendOutcome outcome);

    /// <summary>Asks the processor for what <see cref="Write"/> will read: it lies in the caller's core's cache, and a hundred such waits in a row are as long as a tenth of a sync.</summary>
    internal virtual void Prefetch()
    {
    }

    internal int FrameSize => Frame.SizeOf(Length);
}

/// <summary>A record whose payload exists already and whose outcome somebody awaits.</summary>
internal sealed class BytesRecord(byte type, ReadOnlyMemory<byte> payload, Func<bool>? holds) : OutboxRecord
{
    private const int CacheLine = 64;

    // Looked up by the caller's thread, which has it at hand.
    private readonly ArraySegment<byte> _bytes = MemoryMarshal.TryGetArray(payload, out var bytes) ? bytes : default;
    private readonly TaskCompletionSource<AppendOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override byte Type => type;

    public override int Length => payload.Length;

    public override bool Holds => holds is null || holds();

    public Task<AppendOutcome> Done => _done.Task;

    internal override unsafe void Prefetch()
    {
        if (!Sse.IsSupported || _bytes.Array is not { } array) return;
        // Not pinned: an address that is stale by the time it is asked for costs nothing but the question.
        var start = (byte*)Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(array), _bytes.Offset));
        for (var at = -8; at < Math.Min(payload.Length, 4 * CacheLine); at += CacheLine) Sse.Prefetch0(start + at);
    }

    public override void Write(Span<byte> destination) => payload.Span.CopyTo(destination);

    public override void Complete(AppendOutcome outcome) => _done.TrySetResult(outcome);
}
