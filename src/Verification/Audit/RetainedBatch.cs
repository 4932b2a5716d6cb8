using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>
/// The inputs and outputs of one sealed batch, copied. In native memory: it is zeroed when a row leaves, and no garbage
/// collector has moved a copy of it elsewhere by then. Safe for concurrent calls.
/// </summary>
internal sealed unsafe class RetainedBatch : IDisposable
{
    // A preimage, its share of the tree, its receipt id, and the entry below.
    private const int OverheadPerRow = RowLeaf.Size + (2 * Hash256.Size) + ReceiptId.Size + 32;

    private readonly Lock _gate = new();
    private SealedBatch? _batch;
    private Entry[] _rows;
    private byte* _memory;

    private RetainedBatch(SealedBatch batch, Entry[] rows, byte* memory, long bytes, long keptAt)
    {
        (_batch, _rows) = (batch, rows);
        _memory = memory;
        (Statement, Bytes, KeptAt, Held) = (batch.StatementId, bytes, keptAt, rows.Length);
    }

    public Hash256 Statement { get; }

    /// <summary>What it counts for, all of it, until it is disposed.</summary>
    public long Bytes { get; }

    public long KeptAt { get; }

    /// <summary>Rows that are still there.</summary>
    public int Held { get; private set; }

    public static long SizeOf(SealedBatch batch, ReadOnlySpan<RowView> rows)
    {
        long size = batch.Statement.Length;
        foreach (ref readonly var row in rows)
            size = checked(size + OverheadPerRow + TensorSetBytes.SizeOf(row.Inputs, row.InputCount) + TensorSetBytes.SizeOf(row.Outputs, row.OutputCount));
        return size;
    }

    /// <exception cref="OutOfMemoryException">There is no room.</exception>
    public static RetainedBatch Copy(SealedBatch batch, ReadOnlySpan<RowView> rows, long size, long now)
    {
        var entries = new Entry[rows.Length];
        var memory = (byte*)NativeMemory.Alloc((nuint)size);
        long at = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            var input = TensorSetBytes.SizeOf(row.Inputs, row.InputCount);
            var output = TensorSetBytes.SizeOf(row.Outputs, row.OutputCount);
            entries[i] = new Entry(at, input, output, IsHeld: true);
            TensorSetBytes.Write(row.Inputs, row.InputCount, memory + at);
            TensorSetBytes.Write(row.Outputs, row.OutputCount, memory + at + input);
            at += input + output;
        }

        return new RetainedBatch(batch, entries, memory, size, now);
    }

    public RetainedRow? Find(uint row)
    {
        lock (_gate)
        {
            if (_memory is null || row >= _rows.Length || _rows[row] is not { IsHeld: true } entry) return null;
            var input = new ReadOnlySpan<byte>(_memory + entry.At, checked((int)entry.Input)).ToArray();
            var output = new ReadOnlySpan<byte>(_memory + entry.At + entry.Input, checked((int)entry.Output)).ToArray();
            return new RetainedRow(_batch!.Receipt((int)row), input, output);
        }
    }

    /// <summary>Zeroes a row. False when it is not there.</summary>
    public bool Release(uint row)
    {
        lock (_gate)
        {
            if (_memory is null || row >= _rows.Length || _rows[row] is not { IsHeld: true } entry) return false;
            NativeMemory.Clear(_memory + entry.At, (nuint)(entry.Input + entry.Output));
            _rows[row] = entry with { IsHeld = false };
            Held--;
            return true;
        }
    }

    /// <summary>Rows still there.</summary>
    public uint[] HeldRows()
    {
        lock (_gate) return [.. Enumerable.Range(0, _rows.Length).Where(row => _rows[row].IsHeld).Select(row => (uint)row)];
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_memory is null) return;
            NativeMemory.Clear(_memory, (nuint)Bytes);
            NativeMemory.Free(_memory);
            _memory = null;
            // Whoever lists batches by age may hold this one for a while.
            (_batch, _rows, Held) = (null, [], 0);
        }
    }

    private readonly record struct Entry(long At, long Input, long Output, bool IsHeld);
}
