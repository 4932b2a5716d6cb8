namespace OpenGradient.Engine.Settlement;

/// <summary>How much stays in memory, how long a start may take, and what is kept for how long. Immutable.</summary>
public sealed record StorageOptions
{
    /// <summary>Receipts of final statements that stay in memory, each statement counted as one more; older ones are answered from the archive. 65,536: some 20 MB at most, and more than a reorganisation or a late receipt usually reaches back.</summary>
    public int FinalReceiptsInMemory { get; init; } = 65_536;

    /// <summary>Receipts and statements that move to the archive at once. 16,384: a few megabytes and some milliseconds.</summary>
    public int ArchiveStep { get; init; } = 16_384;

    /// <summary>Chain operations that stay in memory after they are final. 256: minutes of anchors, so that what looks back rarely reads.</summary>
    public int FinalOperationsInMemory { get; init; } = 256;

    /// <summary>Bytes of journal between two snapshots; twice the last snapshot where that is more. 64 MiB: read back in about a second.</summary>
    public long SnapshotEveryBytes { get; init; } = 64 << 20;

    /// <summary>Age from which on journal segments may go, once everything in them is final, archived and published; null keeps all. Null: the journal is the truth, and disks are cheap.</summary>
    public TimeSpan? PruneAfter { get; init; }

    /// <summary>Folder that pruned segments are copied to before they are deleted; null: they are only deleted.</summary>
    public string? PruneTo { get; init; }

    /// <summary>Time between two looks at what is due. A second: growth is counted in megabytes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(FinalReceiptsInMemory, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(ArchiveStep, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FinalOperationsInMemory, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(SnapshotEveryBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Interval, TimeSpan.FromMilliseconds(1));
        if (PruneAfter is { } age) ArgumentOutOfRangeException.ThrowIfLessThan(age, TimeSpan.Zero);
        if (PruneTo is { } folder && !Path.IsPathFullyQualified(folder)) throw new ArgumentException("the folder for pruned segments must be an absolute path", nameof(PruneTo));
    }
}
