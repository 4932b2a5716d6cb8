using System.Buffers.Binary;
using System.Globalization;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>
/// Reads the outbox's segments one after the other, checks every byte of them, and hands each record on. One segment is in
/// memory at a time. Opens files for reading alone and takes no lock: a writer may go on, because it only appends, and what
/// is not whole yet is not looked at.
/// </summary>
internal sealed class SegmentAudit(string folder, AuditReport report, Func<RecordPosition, byte, ReadOnlyMemory<byte>, Task> onRecord)
{
    private const string Prefix = "outbox-";
    private const string Suffix = ".seg";

    // A writer may be in the middle of a group while its segment is read; a second look a moment later sees it whole.
    private const int Looks = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private ulong _next = 1;

    /// <summary>Where whole records end although bytes follow; null where nothing follows.</summary>
    public (string File, int Offset)? TailAt { get; private set; }

    public string PathOf(uint number) => Path.Combine(folder, Prefix + number.ToString("D8", CultureInfo.InvariantCulture) + Suffix);

    public async Task RunAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder)) throw new AuditStoppedException(folder, null, "the outbox's folder is expected");
        if (!File.Exists(PathOf(1))) throw new AuditStoppedException(PathOf(1), 0, "the first segment is expected; the file is missing");
        uint number = 1;
        var segment = await ReadAsync(number, cancellationToken).ConfigureAwait(false);
        var header = Header(segment, number, previousEnd: 0);
        while (true)
        {
            if (header.FirstSequence != _next) throw new AuditStoppedException(PathOf(number), 24, $"record {_next} is expected as the segment's first, {header.FirstSequence} is there");
            var end = await FramesAsync(segment, header, SegmentHeader.Size).ConfigureAwait(false);
            report.Segments++;
            // Whether there is a next one is asked before the tail is judged: a writer may have moved on meanwhile.
            for (var look = 1; !File.Exists(PathOf(number + 1)); look++)
            {
                if (LaterExists(number)) throw new AuditStoppedException(PathOf(number + 1), 0, "the segment is expected; the file is missing");
                if (!segment.AsSpan(end).ContainsAnyExcept((byte)0)) return;
                if (look == Looks)
                {
                    Tail(segment, header, end);
                    return;
                }

                await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
                segment = await ReadAsync(number, cancellationToken).ConfigureAwait(false);
                end = await FramesAsync(segment, header, end).ConfigureAwait(false);
            }

            segment = await ReadAsync(number, cancellationToken).ConfigureAwait(false); // sealed now
            end = await FramesAsync(segment, header, end).ConfigureAwait(false);
            var next = await ReadAsync(number + 1, cancellationToken).ConfigureAwait(false);
            var following = Header(next, number + 1, end);
            if (end < following.PreviousEnd) throw Damaged(segment, header, end, (int)following.PreviousEnd);
            if (end > following.PreviousEnd) throw new AuditStoppedException(PathOf(number + 1), 20, $"{end} expected as the previous segment's end, {following.PreviousEnd} is there");
            RequireZeros(segment, end, number);
            (segment, header, number) = (next, following, number + 1);
        }
    }

    /// <summary>Reads one record's payload again.</summary>
    public byte[] Payload(RecordPosition position)
    {
        using var file = Open(position.Segment);
        var head = new byte[Frame.HeaderSize];
        RandomAccess.Read(file, head, position.Offset);
        var payload = new byte[BinaryPrimitives.ReadInt32LittleEndian(head)];
        RandomAccess.Read(file, payload, position.Offset + Frame.HeaderSize);
        return payload;
    }

    private bool LaterExists(uint number) => Directory.EnumerateFiles(folder, Prefix + "*" + Suffix).Any(path => string.CompareOrdinal(path, PathOf(number)) > 0);

    private SegmentHeader Header(byte[] segment, uint number, int previousEnd)
    {
        try
        {
            return SegmentHeader.Decode(segment, number);
        }
        catch (OutboxDamagedException damaged)
        {
            throw new AuditStoppedException(PathOf(number), FirstWrongOfHeader(segment, number, previousEnd), $"a segment's header is expected there: {damaged.Message}");
        }
    }

    // Where one byte explains it, that one; otherwise the first that differs from what is known before.
    private int FirstWrongOfHeader(byte[] segment, uint number, int previousEnd)
    {
        if (segment.Length < SegmentHeader.Size) return segment.Length;
        var salt = BinaryPrimitives.ReadUInt64LittleEndian(segment.AsSpan(32));
        var known = new SegmentHeader(number, (uint)previousEnd, _next, salt).Encode();
        const int covered = SegmentHeader.Size - 4;
        var off = BinaryPrimitives.ReadUInt32LittleEndian(segment.AsSpan(covered)) ^ Crc.Finish(Crc.Add(Crc.Start(0), segment.AsSpan(0, covered)));
        if (CrcSyndrome.Locate(off, covered) is { } one) return one.Position;
        var first = segment.AsSpan(0, covered).CommonPrefixLength(known.AsSpan(0, covered));
        return first;
    }

    private async Task<int> FramesAsync(byte[] segment, SegmentHeader header, int from)
    {
        var offset = from;
        while (Frame.TryRead(segment, offset, header.Salt) is { } frame)
        {
            if (frame.Sequence != _next) throw new AuditStoppedException(PathOf(header.Number), offset + 8, $"record {_next} is expected, {frame.Sequence} is there");
            for (var i = frame.PayloadOffset + frame.PayloadLength; i < frame.End; i++)
                if (segment[i] != 0) throw new AuditStoppedException(PathOf(header.Number), i, $"0x00 expected (padding of record {_next}), 0x{segment[i]:x2} is there");
            report.Records++;
            _next++;
            await onRecord(new(header.Number, (uint)offset), frame.Type, segment.AsMemory(frame.PayloadOffset, frame.PayloadLength)).ConfigureAwait(false);
            offset = frame.End;
        }

        return offset;
    }

    // Behind the last whole record of the newest segment: a torn group, one that is being written, or damage.
    private void Tail(byte[] segment, SegmentHeader header, int end)
    {
        for (var offset = end; offset <= segment.Length - Frame.HeaderSize; offset += Frame.Alignment)
            if (Frame.TryRead(segment, offset, header.Salt) is { } later && later.Sequence > _next) throw Damaged(segment, header, end, null);
        if (FrameDiagnosis.Explain(segment, end, null, header.Salt) is { } wrong)
            throw new AuditStoppedException(PathOf(header.Number), wrong.Offset, $"record {_next}: {wrong.Expected}");
        report.Remarks.Add($"{PathOf(header.Number)}: bytes behind offset {end} are no whole record: a group that a crash tore, or one that is being written");
        TailAt = (PathOf(header.Number), end);
    }

    private AuditStoppedException Damaged(byte[] segment, SegmentHeader header, int at, int? end)
    {
        var until = NextFrame(segment, header, at) ?? end;
        return FrameDiagnosis.Explain(segment, at, until, header.Salt) is { } wrong
            ? new(PathOf(header.Number), wrong.Offset, $"record {_next}: {wrong.Expected}")
            : new(PathOf(header.Number), at, $"record {_next} is expected{(until is { } known ? $", up to offset {known}" : "")}; its checksum does not hold, and more than one byte is wrong");
    }

    private int? NextFrame(byte[] segment, SegmentHeader header, int at)
    {
        for (var offset = at + Frame.Alignment; offset <= segment.Length - Frame.HeaderSize; offset += Frame.Alignment)
            if (Frame.TryRead(segment, offset, header.Salt) is { } next && next.Sequence == _next + 1) return offset;
        return null;
    }

    private void RequireZeros(byte[] segment, int end, uint number)
    {
        var first = segment.AsSpan(end).IndexOfAnyExcept((byte)0);
        if (first >= 0) throw new AuditStoppedException(PathOf(number), end + first, $"0x00 expected behind the last record, 0x{segment[end + first]:x2} is there");
    }

    private Microsoft.Win32.SafeHandles.SafeFileHandle Open(uint number) => File.OpenHandle(PathOf(number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private async Task<byte[]> ReadAsync(uint number, CancellationToken cancellationToken)
    {
        using var file = Open(number);
        var bytes = new byte[RandomAccess.GetLength(file)];
        var at = 0;
        while (at < bytes.Length && await RandomAccess.ReadAsync(file, bytes.AsMemory(at), at, cancellationToken).ConfigureAwait(false) is > 0 and var read) at += read;
        return bytes[..at];
    }
}
