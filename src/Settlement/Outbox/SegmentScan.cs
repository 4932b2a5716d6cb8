using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Reads segments back on recovery and decides what a bad frame means.</summary>
internal sealed class SegmentScan(SegmentFolder segments, IRecordSink sink)
{
    private byte[] _bytes = [];

    /// <summary>Sequence that the next record gets.</summary>
    public ulong NextSequence { get; private set; } = 1;

    /// <summary>
    /// Applies every record behind <paramref name="after"/>, or all of them; returns the last segment's header and end, or
    /// null when there is none. Segments before that record's are looked for and not read.
    /// </summary>
    public (SegmentHeader Header, int End, bool Torn)? Run(RecordPosition? after)
    {
        var numbers = segments.Numbers();
        if (after is { } last) numbers = From(numbers, last);
        else if (segments.Floor > 1) throw new OutboxDamagedException(new(segments.Floor, 0), $"segments below {segments.Floor} were pruned, and there is no snapshot that can be read");
        if (numbers.Count == 0) return null;
        var length = Load(numbers[0]);
        for (var i = 0; ; i++)
        {
            var header = SegmentHeader.Decode(_bytes.AsSpan(0, length), numbers[i]);
            var offset = SegmentHeader.Size;
            if (i == 0 && after is { } known) offset = Skip(header, length, known);
            else if (header.FirstSequence != NextSequence)
                throw new OutboxDamagedException(new(header.Number, 0), $"the segment begins with record {header.FirstSequence}, but record {NextSequence} comes next");
            var (end, torn) = ApplyFrames(header, length, offset);
            if (i == numbers.Count - 1) return (header, end, torn);
            length = Load(numbers[i + 1]);
            var sealedEnd = SegmentHeader.Decode(_bytes.AsSpan(0, length), numbers[i + 1]).PreviousEnd;
            if (end != sealedEnd)
                throw new OutboxDamagedException(new(header.Number, (uint)end), $"acknowledged records end at {sealedEnd}, but valid ones end here");
        }
    }

    private static List<uint> From(List<uint> numbers, RecordPosition after)
    {
        var rest = numbers.FindAll(number => number >= after.Segment);
        return rest.Count > 0 && rest[0] == after.Segment ? rest : throw Truncated(after);
    }

    // The record was synced before the snapshot was taken: if it is not there, acknowledged data is missing.
    private int Skip(SegmentHeader header, int length, RecordPosition after)
    {
        if (after.Offset > int.MaxValue || Frame.TryRead(_bytes.AsSpan(0, length), (int)after.Offset, header.Salt) is not { } frame) throw Truncated(after);
        NextSequence = frame.Sequence + 1;
        return frame.End;
    }

    private static OutboxDamagedException Truncated(RecordPosition after) =>
        new(after, "a snapshot knows this record, but it is not there: the outbox was truncated or restored from an old copy without its archive");

    private int Load(uint number)
    {
        using var file = segments.Open(number);
        var length = checked((int)file.Length);
        if (_bytes.Length < length) _bytes = new byte[length];
        return file.Read(_bytes.AsSpan(0, length), 0);
    }

    private (int End, bool Torn) ApplyFrames(SegmentHeader header, int length, int offset)
    {
        var segment = _bytes.AsSpan(0, length);
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
