using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>What stays in memory, how long a start may take, and what is kept for how long (docs/operations.md, "Growth").</summary>
public sealed record StorageConfiguration
{
    /// <summary>Receipts of final statements that stay in memory; older ones are answered from the archive on disk.</summary>
    public int FinalReceiptsInMemory { get; init; } = 65_536;

    /// <summary>Journal written between two snapshots: what a start has to read back at most, about a second.</summary>
    public int SnapshotEveryMiB { get; init; } = 64;

    /// <summary>Age in hours from which on journal segments may go whose statements are all final and published; 0 keeps them for ever.</summary>
    public double PruneAfterHours { get; init; }

    /// <summary>Folder that pruned segments are copied to before they are deleted; null: they are only deleted.</summary>
    public string? PruneTo { get; init; }

    internal StorageOptions ToOptions() => new()
    {
        FinalReceiptsInMemory = FinalReceiptsInMemory,
        SnapshotEveryBytes = (long)SnapshotEveryMiB << 20,
        PruneAfter = PruneAfterHours == 0 ? null : TimeSpan.FromHours(PruneAfterHours),
        PruneTo = PruneTo,
    };

    internal static void Check(StorageConfiguration storage, List<string> errors)
    {
        if (storage.FinalReceiptsInMemory is < 0 or > 100_000_000) errors.Add("storage.finalReceiptsInMemory: between 0 and 100,000,000");
        if (storage.SnapshotEveryMiB is < 1 or > 1_048_576) errors.Add("storage.snapshotEveryMiB: between 1 and 1,048,576");
        if (storage.PruneAfterHours is not (>= 0 and <= 876_600)) errors.Add("storage.pruneAfterHours: between 0 (keeps everything) and 876,600");
        if (storage is { PruneTo: not null, PruneAfterHours: 0 }) errors.Add("storage.pruneTo: without storage.pruneAfterHours nothing is pruned");
    }
}
