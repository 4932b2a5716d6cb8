using System.Numerics;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.LanguageModels.Commitments;

/// <summary>One head to sign.</summary>
/// <param name="Tokens">Prompt and answer so far.</param>
/// <param name="Previous">Leaf hash of the answer's head before; zeros for its first.</param>
internal readonly record struct HeadClaim(ReadOnlyMemory<int> Tokens, int PromptLength, FinishReason Finish, Hash256 Previous, Hash256 Parameters);

/// <summary>
/// Lays out the heads that are due as rows of one batch and has them signed in one statement. Hashing and signing take some
/// 100 µs where a step takes milliseconds, so it happens on the scheduler's thread: a sequence's heads are in order by
/// themselves. Used by one thread.
/// </summary>
internal sealed unsafe class HeadSealer : IDisposable
{
    private const int Views = 4;

    private static readonly byte[] FinishHeader = TensorSetDigest.Header("finish", GenerationRow.UInt8, [1], 1);
    private static readonly byte[] PreviousHeader = TensorSetDigest.Header("previous", GenerationRow.UInt8, [Hash256.Size], Hash256.Size);

    private readonly IBatchSealer _sealer;
    private readonly ISealedBatchSink? _sink;
    private readonly byte[] _context;
    private readonly NativeBuffer _memory = new();

    public HeadSealer(IBatchSealer sealer, ISealedBatchSink? sink, StatementContext context)
    {
        _sealer = sealer;
        _sink = sink;
        _context = context.Encode();
    }

    /// <summary>Batches that the sink did not take.</summary>
    public long RefusedBySink { get; private set; }

    /// <summary>Seals one row per claim, in their order.</summary>
    /// <exception cref="Exception">Whatever the sealer throws: nothing was signed.</exception>
    public SealedBatch Seal(ReadOnlySpan<HeadClaim> claims, out bool isHandedOver)
    {
        long size = 0;
        foreach (var claim in claims) size += SizeOf(claim);
        size += (long)claims.Length * (sizeof(RowView) + (Views * sizeof(TensorView)));
        // Answers grow: not a new block for every head.
        _memory.Reserve((long)BitOperations.RoundUpToPowerOf2((ulong)size));
        var rows = (RowView*)_memory.Pointer;
        var views = (TensorView*)(rows + claims.Length);
        var data = (byte*)(views + ((long)Views * claims.Length));
        for (var i = 0; i < claims.Length; i++, views += Views) data = View(claims[i], i, rows + i, views, data);
        var batch = _sealer.Seal(new BatchToSeal
        {
            Context = _context, BatchRows = (uint)claims.Length, Rows = new ReadOnlySpan<RowView>(rows, claims.Length),
        });
        isHandedOver = TryHandOver(batch);
        return batch;
    }

    public void Dispose() => _memory.Dispose();

    private static long SizeOf(in HeadClaim claim) =>
        (4L * claim.Tokens.Length) + (2 * Hash256.Size) + 8 + FinishHeader.Length + PreviousHeader.Length + (2 * 64);

    private static byte* View(in HeadClaim claim, int slot, RowView* row, TensorView* views, byte* data)
    {
        // Token ids first, while the address is a multiple of four.
        var prompt = claim.Tokens.Span[..claim.PromptLength];
        var answer = claim.Tokens.Span[claim.PromptLength..];
        var promptData = data;
        data = Put(data, MemoryMarshal.AsBytes(prompt));
        var answerData = data;
        data = Put(data, MemoryMarshal.AsBytes(answer));
        row->Inputs = views;
        row->InputCount = 1;
        row->Outputs = views + 1;
        row->OutputCount = 3;
        row->FirstSlot = (uint)slot;
        row->RowCount = 1;
        row->ParameterDigest = data;
        data = Put(data, claim.Parameters.Bytes);
        data = Head(views++, TensorSetDigest.Header("prompt", GenerationRow.Int32, [prompt.Length], 4L * prompt.Length), promptData, 4L * prompt.Length, data);
        var finish = data;
        *data++ = (byte)claim.Finish;
        data = Head(views++, FinishHeader, finish, 1, data);
        var previous = data;
        data = Put(data, claim.Previous.Bytes);
        data = Head(views++, PreviousHeader, previous, Hash256.Size, data);
        data = Head(views, TensorSetDigest.Header("tokens", GenerationRow.Int32, [answer.Length], 4L * answer.Length), answerData, 4L * answer.Length, data);
        return (byte*)(((nint)data + 7) & ~(nint)7);
    }

    private static byte* Head(TensorView* view, byte[] header, byte* data, long length, byte* free)
    {
        view->Header = free;
        view->HeaderLength = (ulong)header.Length;
        view->Data = data;
        view->DataLength = (ulong)length;
        return Put(free, header);
    }

    private static byte* Put(byte* destination, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(destination, bytes.Length));
        return destination + bytes.Length;
    }

    private bool TryHandOver(SealedBatch batch)
    {
        if (_sink is null) return false;
        try
        {
            if (_sink.TryAccept(batch)) return true;
        }
        catch (Exception)
        {
            // The batch is signed: without a sink its receipts are promises that their holders can resubmit.
        }

        RefusedBySink++;
        return false;
    }
}
