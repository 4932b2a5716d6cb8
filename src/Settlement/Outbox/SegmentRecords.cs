namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>The records of one segment that is no longer written.</summary>
internal static class SegmentRecords
{
    /// <exception cref="OutboxDamagedException">The segment's header is damaged.</exception>
    public static IEnumerable<(RecordPosition Position, byte Type, byte[] Payload)> Of(SegmentFolder segments, uint number)
    {
        var bytes = Bytes(segments, number);
        var header = SegmentHeader.Decode(bytes, number);
        var offset = SegmentHeader.Size;
        while (Frame.TryRead(bytes, offset, header.Salt) is { } frame)
        {
            yield return (new(number, (uint)offset), frame.Type, bytes.AsSpan(frame.PayloadOffset, frame.PayloadLength).ToArray());
            offset = frame.End;
        }
    }

    public static byte[] Bytes(SegmentFolder segments, uint number)
    {
        using var file = segments.Open(number);
        var bytes = new byte[file.Length];
        return file.Read(bytes, 0) == bytes.Length ? bytes : throw new OutboxDamagedException(new(number, 0), "the segment is cut");
    }
}
