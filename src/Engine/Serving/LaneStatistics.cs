using OpenGradient.Engine.Diagnostics;

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

    /// <summary>Requests in hands now: waiting, executing, or answered with a result that its caller has not disposed.</summary>
    public long Leased { get; init; }


    /// <summary>How each stage's times are spread, in nanoseconds; in the order of <see cref="ServingStage"/>.</summary>
    public IReadOnlyList<Distribution> Stages { get; init; } = [.. Enum.GetValues<ServingStage>().Select(_ => Distribution.Empty)];

    /// <summary>Rows per backend call, padding not counted.</summary>
    public Distribution BatchSizes { get; init; } = Distribution.Empty;

    public TimeSpan Queue => TimeOf(ServingStage.Queue);

    public TimeSpan Gather => TimeOf(ServingStage.Gather);

    public TimeSpan Execute => TimeOf(ServingStage.Execute);

    public TimeSpan Commit => TimeOf(ServingStage.Commit);

    public TimeSpan Sign => TimeOf(ServingStage.Sign);

    /// <summary>Commit and sign together.</summary>
    public TimeSpan Seal => Commit + Sign;

    public TimeSpan Scatter => TimeOf(ServingStage.Scatter);

    /// <summary>How a stage's times are spread, in nanoseconds.</summary>
    public Distribution Stage(ServingStage stage) => Stages[(int)stage];

    private TimeSpan TimeOf(ServingStage stage) => TimeSpan.FromTicks(Stage(stage).Sum / TimeSpan.NanosecondsPerTick);
}

/// <summary>One worker's counters, written by its thread only; readers may see them a batch late.</summary>
internal sealed class WorkerCounters(TimeProvider time, LaneRecorder recorder)
{
    private static readonly ServingStage[] AllStages = Enum.GetValues<ServingStage>();

    private readonly LogHistogram[] _stages = [.. AllStages.Select(_ => new LogHistogram())];
    private readonly LogHistogram _batchSizes = new();
    private readonly double _nanosecondsPerTick = 1e9 / time.TimestampFrequency;

    public readonly long[] SizeReasons = new long[Enum.GetValues<BatchSizeReason>().Length];
    public long Requests, Rows, Batches, FailedBatches, RefusedBySink;

    public long ExecuteNanoseconds => _stages[(int)ServingStage.Execute].Sum;

    /// <param name="stage">What took the time.</param>
    /// <param name="ticks">Of the injected clock's timestamps.</param>
    public void Add(ServingStage stage, long ticks)
    {
        var nanoseconds = (long)(ticks * _nanosecondsPerTick);
        _stages[(int)stage].Add(nanoseconds);
        recorder.Stage(stage, nanoseconds);
    }

    /// <summary>A sealed batch: the signature's time as the sealer gives it, everything else of sealing as commit.</summary>
    public void AddSealing(long ticks, TimeSpan sign)
    {
        var whole = (long)(ticks * _nanosecondsPerTick);
        var signing = Math.Min(sign.Ticks * TimeSpan.NanosecondsPerTick, whole);
        _stages[(int)ServingStage.Commit].Add(whole - signing);
        _stages[(int)ServingStage.Sign].Add(signing);
        recorder.Stage(ServingStage.Commit, whole - signing);
        recorder.Stage(ServingStage.Sign, signing);
    }

    public void AddBatch(int rows)
    {
        Batches++;
        _batchSizes.Add(rows);
        recorder.BatchSize(rows);
    }

    public static ModelStatistics Sum(IEnumerable<WorkerCounters> workers, long abandoned, long waiting)
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
            Stages = [.. AllStages.Select(stage => new Distribution(all.Select(c => c._stages[(int)stage])))],
            BatchSizes = new Distribution(all.Select(c => c._batchSizes)),
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
