namespace OpenGradient.Engine;

/// <summary>What one model has done since it was loaded. Times are sums over all workers.</summary>
public sealed record ModelStatistics
{
    /// <summary>Requests answered, with a result or a failure, after they had been queued and claimed by a worker.</summary>
    public long Requests { get; init; }

    public long Rows { get; init; }

    /// <summary>Backend calls, including those that failed.</summary>
    public long Batches { get; init; }

    public long FailedBatches { get; init; }

    /// <summary>Sealed batches that the sink did not take.</summary>
    public long RefusedBySink { get; init; }

    /// <summary>Requests that ended by cancellation or deadline before a worker claimed them.</summary>
    public long Abandoned { get; init; }

    /// <summary>Backend calls that did not end although they were terminated, and were given up.</summary>
    public long HungCalls { get; init; }

    /// <summary>Rows executed again behind their answers and compared with them.</summary>
    public long Rechecks { get; init; }

    /// <summary>Of these, rows that gave other bits.</summary>
    public long RecheckMismatches { get; init; }

    /// <summary>Requests waiting now.</summary>
    public long Waiting { get; init; }

    /// <summary>Backend calls by why they had their size; a reason that did not occur is absent.</summary>
    public IReadOnlyDictionary<BatchSizeReason, long> SizeReasons { get; init; } = new Dictionary<BatchSizeReason, long>();

    public TimeSpan Queue { get; init; }

    public TimeSpan Gather { get; init; }

    public TimeSpan Execute { get; init; }

    public TimeSpan Seal { get; init; }

    public TimeSpan Scatter { get; init; }
}

/// <summary>One worker's counters, written by its thread only; readers may see them a batch late.</summary>
internal sealed class WorkerCounters
{
    public long Requests, Rows, Batches, FailedBatches, RefusedBySink;
    public readonly long[] SizeReasons = new long[Enum.GetValues<BatchSizeReason>().Length];
    public long QueueTicks, GatherTicks, ExecuteTicks, SealTicks, ScatterTicks;

    public static ModelStatistics Sum(IEnumerable<WorkerCounters> workers, long abandoned, long waiting, TimeProvider time)
    {
        var all = workers.ToArray();
        return new ModelStatistics
        {
            Requests = all.Sum(c => c.Requests),
            Rows = all.Sum(c => c.Rows),
            Batches = all.Sum(c => c.Batches),
            FailedBatches = all.Sum(c => c.FailedBatches),
            RefusedBySink = all.Sum(c => c.RefusedBySink),
            Abandoned = abandoned,
            Waiting = waiting,
            SizeReasons = SumReasons(all),
            Queue = time.GetElapsedTime(0, all.Sum(c => c.QueueTicks)),
            Gather = time.GetElapsedTime(0, all.Sum(c => c.GatherTicks)),
            Execute = time.GetElapsedTime(0, all.Sum(c => c.ExecuteTicks)),
            Seal = time.GetElapsedTime(0, all.Sum(c => c.SealTicks)),
            Scatter = time.GetElapsedTime(0, all.Sum(c => c.ScatterTicks)),
        };
    }
    private static Dictionary<BatchSizeReason, long> SumReasons(WorkerCounters[] all)
    {
        var sums = new Dictionary<BatchSizeReason, long>();
        foreach (var reason in Enum.GetValues<BatchSizeReason>())
            if (all.Sum(c => c.SizeReasons[(int)reason]) is > 0 and var sum) sums[reason] = sum;
        return sums;
    }
}
