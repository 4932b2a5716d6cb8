using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Reads segments back on recovery and decides what a bad frame means.</summary>
internal sealed class SegmentScan(SegmentFolder segments, IRecordSink sink)
{
    private byte[] _bytes = [];

    /// <summary>Sequence that the next record gets.</summary>
    public ulong NextSequence { get; private set; } = 1;

    /// <summary>Applies every record of every segment; returns the last segment's header and end, or null when there is none.</summary>
    public (SegmentHeader Header, int End, bool Torn)? Run()
    {
        var numbers = segments.Numbers();
        if (numbers.Count == 0) return null;
        var length = Load(numbers[0]);
        for (var i = 0; ; i++)
        {
            var header = SegmentHeader.Decode(_bytes.AsSpan(0, length), numbers[i]);
            if (header.FirstSequence != NextSequence)
                throw new OutboxDamagedException(new(header.Number, 0), $"the segment begins with record {header.FirstSequence}, but record {NextSequence} comes next");
            var (end, torn) = ApplyFrames(header, length);
            if (i == numbers.Count - 1) return (header, end, torn);
            length = Load(numbers[i + 1]);
            var sealedEnd = SegmentHeader.Decode(_bytes.AsSpan(0, length), numbers[i + 1]).PreviousEnd;
            if (end != sealedEnd)
                throw new OutboxDamagedException(new(header.Number, (uint)end), $"acknowledged records end at {sealedEnd}, but valid ones end here");
        }
    }

    private int Load(uint number)
    {
        using var file = segments.Open(number);
        var length = checked((int)file.Length);
        if (_bytes.Length < length) _bytes = new byte[length];
        return file.Read(_bytes.AsSpan(0, length), 0);
    }

    private (int End, bool Torn) ApplyFrames(SegmentHeader header, int length)
    {
        var segment = _bytes.AsSpan(0, length);
        var offset = SegmentHeader.Size;
        while (Frame.TryRead(segment, offset, header.Salt) is { } frame && frame.Sequence == NextSequence)
        {
            sink.Apply(new(header.Number, (uint)offset), frame.Type, segment.Slice(frame.PayloadOffset, frame.PayloadLength));
            NextSequence++;
            offset = frame.End;
        }

        RefuseDamage(header, segment, offset);
        return (offset, segment[Math.Min(offset, length)..].ContainsAnyExcept((byte)0));
    }

    // A frame that was written after this offset had been synced proves acknowledged data is gone; without one, what
    // follows is a group whose sync never returned.
    private void RefuseDamage(SegmentHeader header, ReadOnlySpan<byte> segment, int bad)
    {
        for (var offset = bad; offset <= segment.Length - Frame.HeaderSize; offset += Frame.Alignment)
        {
            if (Frame.TryRead(segment, offset, header.Salt) is not { } later || later.Sequence < NextSequence) continue;
            if (later.GroupStart > bad)
                throw new OutboxDamagedException(new(header.Number, (uint)bad), $"record {NextSequence} is damaged although record {later.Sequence} behind it was written after it had been acknowledged");
        }
    }
}
