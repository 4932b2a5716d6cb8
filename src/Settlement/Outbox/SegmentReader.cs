using System.Buffers.Binary;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Reads single records back. Keeps the segment that was read last open, because readers follow the writer. Safe for concurrent calls.</summary>
internal sealed class SegmentReader(SegmentFolder segments, int maxPayload) : IDisposable
{
    /// <summary>Bytes of the first read. 8 KiB: a record of a hundred receipts comes in one call.</summary>
    private const int FirstRead = 8 << 10;

    private readonly Lock _gate = new(); // guards what follows
    private byte[] _buffer = new byte[FirstRead];
    private IDiskFile? _file;
    private uint _segment;
    private ulong _salt;
    private bool _closed;

    public byte[] Read(RecordPosition position)
    {
        lock (_gate)
        {
            var file = Open(position.Segment);
            var read = file.Read(_buffer.AsSpan(0, FirstRead), position.Offset);
            if (read < Frame.HeaderSize) throw new OutboxDamagedException(position, "the record is cut off");
            var length = BinaryPrimitives.ReadInt32LittleEndian(_buffer);
            if (length < 0 || length > maxPayload) throw new OutboxDamagedException(position, "the record's length is damaged");
            var size = Frame.SizeOf(length);
            if (size > read)
            {
                if (_buffer.Length < size) Array.Resize(ref _buffer, size);
                read += file.Read(_buffer.AsSpan(read, size - read), position.Offset + read);
            }

            return Frame.PayloadIfIntact(_buffer.AsSpan(0, Math.Min(read, size)), _salt) ?? throw new OutboxDamagedException(position, "the record is damaged");
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            (_file, _closed) = (null, true);
        }
    }

    private IDiskFile Open(uint segment)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (_file is not null && _segment == segment) return _file;
        _file?.Dispose();
        _file = null;
        var file = segments.Open(segment);
        try
        {
            Span<byte> header = stackalloc byte[SegmentHeader.Size];
            _salt = SegmentHeader.Decode(header[..file.Read(header, 0)], segment).Salt;
        }
        catch
        {
            file.Dispose();
            throw;
        }

        (_file, _segment) = (file, segment);
        return file;
    }
}
