using System.Collections.Concurrent;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>How much is kept, and for how long.</summary>
/// <param name="MaxBytes">Of inputs, outputs and what goes with them.</param>
/// <param name="Window">A row whose draw has not come by then is let go.</param>
public sealed record RetentionLimits(long MaxBytes, TimeSpan Window);

/// <summary>Keeps rows in this process's memory; a restart loses them. The fast path pays one allocation and one copy per batch.</summary>
public sealed class MemoryRetention(RetentionLimits limits, TimeProvider clock) : IRowRetention
{
    private readonly ConcurrentDictionary<Hash256, RetainedBatch> _batches = new();

    // In the order of their arrival; what was released before its time is met, and skipped, when its time comes.
    private readonly ConcurrentQueue<RetainedBatch> _byAge = new();

    // Rows that were erased and when, for as long as a draw could ask.
    private readonly ConcurrentDictionary<(Hash256 Statement, uint Row), long> _erasedRows = new();
    private long _bytes;
    private long _rows;
    private long _dropped;
    private long _expired;
    private long _erased;
    private volatile bool _closed;

    public RetentionReport Report => new(
        Interlocked.Read(ref _rows), Interlocked.Read(ref _bytes), Interlocked.Read(ref _dropped), Interlocked.Read(ref _expired), Interlocked.Read(ref _erased));

    /// <inheritdoc/>
    public void Sealed(SealedBatch batch, ReadOnlySpan<RowView> rows)
    {
        var size = RetainedBatch.SizeOf(batch, rows);
        if (_closed || Interlocked.Add(ref _bytes, size) > limits.MaxBytes)
        {
            if (!_closed) Interlocked.Add(ref _bytes, -size);
            Interlocked.Add(ref _dropped, rows.Length);
            return;
        }

        RetainedBatch kept;
        try
        {
            kept = RetainedBatch.Copy(batch, rows, size, clock.GetTimestamp());
        }
        catch (OutOfMemoryException)
        {
            Interlocked.Add(ref _bytes, -size);
            Interlocked.Add(ref _dropped, rows.Length);
            return;
        }

        Interlocked.Add(ref _rows, rows.Length);
        if (_batches.TryAdd(kept.Statement, kept)) _byAge.Enqueue(kept);
        else Close(kept);
    }

    /// <inheritdoc/>
    public RetainedRow? Find(in Hash256 statement, uint row) => _batches.TryGetValue(statement, out var batch) ? batch.Find(row) : null;

    /// <inheritdoc/>
    public bool IsErased(in Hash256 statement, uint row) => _erasedRows.ContainsKey((statement, row));

    /// <inheritdoc/>
    public void KeepOnly(in Hash256 statement, IReadOnlyCollection<uint> rows)
    {
        if (!_batches.TryGetValue(statement, out var batch)) return;
        foreach (var row in batch.HeldRows())
            if (!rows.Contains(row) && batch.Release(row)) Interlocked.Decrement(ref _rows);
        CloseIfEmpty(batch);
    }

    /// <inheritdoc/>
    public bool Erase(in Hash256 statement, uint row)
    {
        if (!_batches.TryGetValue(statement, out var batch) || !batch.Release(row)) return false;
        _erasedRows[(statement, row)] = clock.GetTimestamp();
        Interlocked.Decrement(ref _rows);
        Interlocked.Increment(ref _erased);
        CloseIfEmpty(batch);
        return true;
    }

    /// <inheritdoc/>
    public long EraseAll()
    {
        long erased = 0;
        foreach (var batch in _batches.Values)
            foreach (var row in batch.HeldRows())
                if (Erase(batch.Statement, row)) erased++;
        return erased;
    }

    /// <inheritdoc/>
    public void Sweep()
    {
        foreach (var (row, at) in _erasedRows)
            if (clock.GetElapsedTime(at) > limits.Window) _erasedRows.TryRemove(row, out _);
        while (_byAge.TryPeek(out var oldest) && (oldest.Held == 0 || clock.GetElapsedTime(oldest.KeptAt) > limits.Window) && _byAge.TryDequeue(out oldest))
        {
            Interlocked.Add(ref _expired, oldest.Held);
            Forget(oldest);
        }
    }

    /// <summary>Batches to be moved elsewhere, oldest first.</summary>
    internal IEnumerable<RetainedBatch> Batches => _byAge.Where(batch => batch.Held > 0);

    /// <summary>A batch was moved elsewhere.</summary>
    internal void Forget(RetainedBatch batch)
    {
        if (_batches.TryRemove(new KeyValuePair<Hash256, RetainedBatch>(batch.Statement, batch))) Close(batch);
    }

    public void Dispose()
    {
        _closed = true;
        foreach (var batch in _batches.Values) Forget(batch);
    }

    private void CloseIfEmpty(RetainedBatch batch)
    {
        if (batch.Held == 0) Forget(batch);
    }

    private void Close(RetainedBatch batch)
    {
        Interlocked.Add(ref _rows, -batch.Held);
        Interlocked.Add(ref _bytes, -batch.Bytes);
        batch.Dispose();
    }
}
