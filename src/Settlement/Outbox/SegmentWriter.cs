using System.Security.Cryptography;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// Puts groups of records on stable storage. Owned by the outbox's writer thread after <see cref="Recover"/>.
/// </summary>
internal sealed class SegmentWriter(IDisk disk, SegmentFolder segments, string folder, OutboxOptions options) : IDisposable
{
    /// <summary>Records whose bytes are asked for before they are laid out. 8: some hundred nanoseconds each, as long as a line takes from another core.</summary>
    private const int Ahead = 8;

    private IDiskFile? _file;
    private SegmentHeader? _header;
    private int _end;
    private int _groupStart; // of the group that _buffer holds
    private ulong _nextSequence = 1;
    private bool _tailUnreserved;
    private byte[] _buffer = [];

    /// <summary>Replays what is behind a record, or everything, into the sink, cuts a torn tail, and stands ready behind the last record.</summary>
    public void Recover(IRecordSink sink, RecordPosition? after)
    {
        disk.CreateFolder(folder);
        var scan = new SegmentScan(segments, sink);
        var last = scan.Run(after);
        _nextSequence = scan.NextSequence;
        if (last is null)
        {
            Roll();
            return;
        }

        (_header, _end, var torn) = last.Value;
        _file = segments.Open(_header.Number);
        if (torn) _file.Truncate(_end);
        ReserveTail();
        // Records that were written but not synced before a crash were just applied: make them as durable as they now look.
        _file.Sync();
    }

    /// <summary>
    /// Writes and syncs one group; returns where each record lies. A full disk leaves nothing of the group behind and
    /// is reported by an exception with <see cref="DiskException.IsFull"/>; after any other exception the writer must not be used.
    /// </summary>
    public void Write(List<OutboxRecord> group, List<RecordPosition> positions)
    {
        positions.Clear();
        var size = group.Sum(record => record.FrameSize);
        if (_file is null || _end + size > options.SegmentSize) Roll();
        if (_tailUnreserved)
        {
            _file!.Allocate(options.SegmentSize);
            _tailUnreserved = false;
        }

        _groupStart = _end;
        Encode(group, size, positions);
        WriteOrUndo(_buffer.AsSpan(0, size));
        _file!.Sync();
        _end += size;
        _nextSequence += (ulong)group.Count;
    }

    /// <summary>The payload of a record of the group that was written last.</summary>
    public ReadOnlySpan<byte> Written(RecordPosition position, int length) =>
        _buffer.AsSpan((int)position.Offset - _groupStart + Frame.HeaderSize, length);

    public void Dispose() => _file?.Dispose();

    private void Encode(List<OutboxRecord> group, int size, List<RecordPosition> positions)
    {
        if (_buffer.Length < size) _buffer = new byte[Math.Max(size, options.MaxGroupBytes)];
        var at = 0;
        for (var i = 0; i < Math.Min(Ahead, group.Count); i++) group[i].Prefetch();
        for (var i = 0; i < group.Count; i++)
        {
            if (i + Ahead < group.Count) group[i + Ahead].Prefetch();
            var record = group[i];
            Frame.Write(_buffer.AsSpan(at), _header!.Salt, _nextSequence + (ulong)positions.Count, (uint)at, record);
            positions.Add(new(_header.Number, (uint)(_end + at)));
            at += record.FrameSize;
        }
    }

    private void WriteOrUndo(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file!.Write(bytes, _end);
        }
        catch (DiskException failure) when (failure.IsFull)
        {
            // A part may have been written: cut it off, so that the caller can be told truthfully that nothing is stored.
            _file!.Truncate(_end);
            _file.Sync();
            _tailUnreserved = true;
            throw;
        }
    }

    private void Roll()
    {
        var header = new SegmentHeader((_header?.Number ?? 0) + 1, (uint)_end, _nextSequence, Salt());
        var file = segments.Create(header, options.SegmentSize);
        _file?.Dispose();
        (_file, _header, _end, _tailUnreserved) = (file, header, SegmentHeader.Size, false);
    }

    private void ReserveTail()
    {
        try
        {
            _file!.Allocate(options.SegmentSize);
        }
        catch (DiskException failure) when (failure.IsFull)
        {
            _tailUnreserved = true;
        }
    }

    private static ulong Salt() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
}
