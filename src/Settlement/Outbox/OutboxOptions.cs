namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>Limits of the segment log. Immutable.</summary>
public sealed record OutboxOptions
{
    /// <summary>Bytes per segment. 16 MiB: recovery reads one at a time into memory, and a roll's three syncs vanish in it.</summary>
    public int SegmentSize { get; init; } = 16 << 20;

    /// <summary>Bytes that wait for the writer. 64 MiB: seconds of full load on a slow disk, little beside a model.</summary>
    public long MaxQueuedBytes { get; init; } = 64 << 20;

    /// <summary>Records that wait for the writer. 65,536: as many as fit the byte bound at one KiB each.</summary>
    public int MaxQueuedRecords { get; init; } = 65_536;

    /// <summary>Bytes written before one sync. 1 MiB: beyond it a sync's cost is hidden already and only latency grows.</summary>
    public int MaxGroupBytes { get; init; } = 1 << 20;

    public int MaxPayload => SegmentSize - SegmentHeader.Size - Frame.HeaderSize - Frame.Alignment;

    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentSize, 4096);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxQueuedBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxQueuedRecords, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxGroupBytes, 1);
    }
}
