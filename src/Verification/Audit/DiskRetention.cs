using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Audit;

/// <summary>
/// Keeps rows on disk, encrypted, so that a restart between anchor and draw loses none. The fast path copies into memory as
/// <see cref="MemoryRetention"/> does; <see cref="Sweep"/> moves what is there to the slice of its time. Each slice has a key of
/// its own, which is destroyed when the slice's time is over or none of its rows is needed any more.
/// </summary>
public sealed class DiskRetention : IRowRetention
{
    // An eighth of the window: what was released stays on disk for at most that much longer than needed.
    private const int SlicesPerWindow = 8;

    // What one pass over the disk has to move; more than this waits for no disk.
    private const long MaxStaged = 64 << 20;

    private readonly string _folder;
    private readonly string _keys;
    private readonly RetentionLimits _limits;
    private readonly TimeProvider _clock;
    private readonly MemoryRetention _staged;

    // Guards everything below.
    private readonly Lock _gate = new();
    private readonly List<RetentionSlice> _slices = [];
    private readonly Dictionary<Hash256, Dictionary<uint, (RetentionSlice Slice, long At)>> _index = [];
    private readonly HashSet<(Hash256 Statement, uint Row)> _erasedRows = [];
    private long _rows;
    private long _bytes;
    private long _dropped;
    private long _expired;
    private long _erased;

    /// <param name="folder">Of the rows; made when it is not there.</param>
    /// <param name="keys">Of the slices' keys; another folder, so that a copy of the rows alone is noise.</param>
    /// <exception cref="IOException">A folder cannot be used.</exception>
    /// <exception cref="FormatException">Another release wrote what is there.</exception>
    public DiskRetention(string folder, string keys, RetentionLimits limits, TimeProvider clock)
    {
        (_folder, _keys, _limits, _clock) = (folder, keys, limits, clock);
        _staged = new MemoryRetention(limits with { MaxBytes = Math.Min(limits.MaxBytes, MaxStaged) }, clock);
        foreach (var each in new[] { folder, keys })
        {
            if (Directory.Exists(each)) continue;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(each);
            else Directory.CreateDirectory(each, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        foreach (var path in Directory.EnumerateFiles(folder, "*.rows").Order(StringComparer.Ordinal)) Reopen(path);
        Recount();
    }

    /// <inheritdoc/>
    public RetentionReport Report
    {
        get
        {
            var staged = _staged.Report;
            lock (_gate) return new(_rows + staged.Rows, _bytes + staged.Bytes, _dropped + staged.Dropped, _expired + staged.Expired, _erased + staged.Erased);
        }
    }

    /// <inheritdoc/>
    public void Sealed(SealedBatch batch, ReadOnlySpan<RowView> rows) => _staged.Sealed(batch, rows);

    /// <inheritdoc/>
    public RetainedRow? Find(in Hash256 statement, uint row)
    {
        lock (_gate)
        {
            if (_staged.Find(statement, row) is { } staged) return staged;
            return PlaceOf(statement, row) is { } place ? place.Slice.Read(place.At) : null;
        }
    }

    /// <inheritdoc/>
    public bool IsErased(in Hash256 statement, uint row)
    {
        lock (_gate) return _staged.IsErased(statement, row) || _erasedRows.Contains((statement, row));
    }

    /// <inheritdoc/>
    public void KeepOnly(in Hash256 statement, IReadOnlyCollection<uint> rows)
    {
        lock (_gate)
        {
            _staged.KeepOnly(statement, rows);
            if (!_index.TryGetValue(statement, out var places)) return;
            foreach (var row in places.Keys.ToArray())
                if (!rows.Contains(row)) Forget(statement, row);
            DestroyEmpty();
        }
    }

    /// <inheritdoc/>
    public bool Erase(in Hash256 statement, uint row)
    {
        lock (_gate)
        {
            if (_staged.Erase(statement, row)) return true;
            if (PlaceOf(statement, row) is not { } place) return false;
            place.Slice.Erase(place.At);
            Forget(statement, row);
            _erasedRows.Add((statement, row));
            _erased++;
            DestroyEmpty();
            return true;
        }
    }

    /// <inheritdoc/>
    public long EraseAll()
    {
        lock (_gate)
        {
            var erased = _staged.EraseAll() + _rows;
            _erased += _rows;
            foreach (var slice in _slices.ToArray())
            {
                _erasedRows.UnionWith(slice.Held);
                Destroy(slice);
            }

            Recount();
            return erased;
        }
    }

    /// <inheritdoc/>
    public void Sweep()
    {
        lock (_gate)
        {
            foreach (var batch in _staged.Batches.ToArray()) Move(batch);
            var oldest = _clock.GetUtcNow() - _limits.Window;
            foreach (var slice in _slices.Where(slice => slice.Begun + SliceLength < oldest).ToArray())
            {
                _expired += slice.Held.Count;
                Destroy(slice);
            }

            if (_slices.Count == 0) _erasedRows.Clear();
            Recount();
        }

        _staged.Sweep();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var batch in _staged.Batches.ToArray()) Move(batch);
            foreach (var slice in _slices) slice.Dispose();
            _slices.Clear();
            _index.Clear();
        }

        _staged.Dispose();
    }

    private TimeSpan SliceLength => _limits.Window / SlicesPerWindow;

    private void Reopen(string path)
    {
        var places = new List<((Hash256, uint) Key, long At)>();
        if (RetentionSlice.Reopen(path, _keys, (statement, row, at) => places.Add(((statement, row), at))) is not { } slice) return;
        _slices.Add(slice);
        foreach (var ((statement, row), at) in places) Put(statement, row, slice, at);
    }

    private void Move(RetainedBatch batch)
    {
        foreach (var row in batch.HeldRows())
        {
            if (batch.Find(row) is not { } retained) continue;
            if (_bytes + RetentionSlice.SizeOf(retained) > _limits.MaxBytes) _dropped++;
            else
            {
                var slice = Current();
                var before = slice.Bytes;
                Put(batch.Statement, row, slice, slice.Write(batch.Statement, row, retained));
                _bytes += slice.Bytes - before;
            }
        }

        _staged.Forget(batch);
    }

    private RetentionSlice Current()
    {
        var now = _clock.GetUtcNow();
        if (_slices.Count == 0 || now - _slices[^1].Begun >= SliceLength) _slices.Add(RetentionSlice.Create(_folder, _keys, now));
        return _slices[^1];
    }

    private (RetentionSlice Slice, long At)? PlaceOf(in Hash256 statement, uint row) =>
        _index.TryGetValue(statement, out var places) && places.TryGetValue(row, out var place) ? place : null;

    private void Put(in Hash256 statement, uint row, RetentionSlice slice, long at)
    {
        if (!_index.TryGetValue(statement, out var places)) _index[statement] = places = [];
        if (places.TryAdd(row, (slice, at))) _rows++;
    }

    private void Forget(in Hash256 statement, uint row)
    {
        if (!_index.TryGetValue(statement, out var places) || !places.Remove(row, out var place)) return;
        _rows--;
        place.Slice.Held.Remove((statement, row));
        if (places.Count == 0) _index.Remove(statement);
    }

    // Not the newest: it is still written.
    private void DestroyEmpty()
    {
        foreach (var slice in _slices.SkipLast(1).Where(slice => slice.Held.Count == 0).ToArray()) Destroy(slice);
    }

    private void Destroy(RetentionSlice slice)
    {
        foreach (var (statement, row) in slice.Held.ToArray()) Forget(statement, row);
        _slices.Remove(slice);
        slice.Destroy();
    }

    private void Recount() => _bytes = _slices.Sum(slice => slice.Bytes);
}
