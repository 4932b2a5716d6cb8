using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine;

/// <summary>What to do with NaN and infinities in floating-point inputs.</summary>
public enum NonFinitePolicy
{
    Allow,
    Reject,
}

/// <summary>Where a model's workers run.</summary>
public enum WorkerPlacement
{
    /// <summary>Thread pool for calls that take up to 2 ms at the largest batch, own threads otherwise or when a queue delay is set.</summary>
    Auto,
    ThreadPool,
    OwnThreads,
}

/// <summary>Whether a call to an idle model runs on its caller's thread; the call then returns completed.</summary>
public enum RunInline
{
    /// <summary>When one row was measured to take at most 1 ms at load, no queue delay is set and the workers were not given own threads.</summary>
    Auto,

    /// <summary>Callers never execute, for hosts whose threads must not be held.</summary>
    Never,

    /// <summary>Whenever the model is idle, however long its calls take.</summary>
    Always,
}

/// <summary>Whether requests of different callers share calls where the model's declaration allows it.</summary>
public enum BatchAcrossCallers
{
    /// <summary>Not for a model whose answers depend on the neighbours: class C, and class U after a re-execution gave other bits.</summary>
    Auto,

    /// <summary>Always: such a model's answers can then not be reproduced from a receipt.</summary>
    Always,
}

/// <summary>A model and its limits. Immutable; checked by <see cref="Validate"/> before loading.</summary>
public sealed record ModelOptions
{
    public required string Name { get; init; }

    /// <summary>Free text; loading the same name and version again replaces it while serving.</summary>
    public string Version { get; init; } = "1";

    /// <summary>The model's file. Files that it names are looked for in the same folder.</summary>
    public required string Path { get; init; }

    /// <summary>Most bytes of all its files. Default 16 GiB: more than the models that one machine's cores serve, less than a mistaken path can name; they are all in memory while the model is opened.</summary>
    public long MaxArtifactBytes { get; init; } = 16L << 30;

    /// <summary>Most rows in one backend call. Default 64: past it the per-row time of small dense models falls by less than 5%, while latency and buffers still double.</summary>
    public int MaxBatch { get; init; } = 64;

    /// <summary>Whether rows of several requests may share a call. Default yes, where the model's declaration allows it.</summary>
    public bool AllowBatching { get; init; } = true;

    /// <summary>How long a call may wait for more rows. Default zero: as large as possible without waiting; under load the running calls are delay enough.</summary>
    public TimeSpan MaxQueueDelay { get; init; } = TimeSpan.Zero;

    /// <summary>Most requests that wait. Default 4,096: 64 full batches, above which a caller is better told than kept.</summary>
    public int MaxQueuedRequests { get; init; } = 4096;

    /// <summary>Most input bytes that wait. Default 256 MiB: they are the callers' buffers, held alive by the queue.</summary>
    public long MaxQueuedBytes { get; init; } = 256L << 20;

    /// <summary>Limits by priority. Default null: one queue length, no timeouts but the requests' own.</summary>
    public QueuePolicies? QueuePolicies { get; init; }

    /// <summary>Most of <see cref="MaxQueuedRequests"/> that one named caller (<see cref="InferenceRequest.Caller"/>) may hold. Default one half: whoever fills it leaves as much for everybody else. The anonymous caller is not bound by it.</summary>
    public double MaxCallerShare { get; init; } = 0.5;

    /// <summary>Most rows in one request. Default null: <see cref="MaxBatch"/>, since a request is never split over calls.</summary>
    public int? MaxRowsPerRequest { get; init; }

    /// <summary>Most input bytes in one request. Default 64 MiB, which bounds a worker's buffers for models with open inner dimensions.</summary>
    public long MaxRequestBytes { get; init; } = 64L << 20;

    /// <summary>Default allow: tree models read NaN as "missing", and the bits are committed either way.</summary>
    public NonFinitePolicy NonFinite { get; init; } = NonFinitePolicy.Allow;

    /// <summary>
    /// Concurrent backend calls. Default null: on the CPU as many as fill the cores with <see cref="ExecutionOptions.IntraOpThreads"/>
    /// each, so one per core at one thread; on a GPU 2: one batch is copied while the other computes, and more would only divide
    /// what waits into smaller batches, which take a GPU as long.
    /// </summary>
    public int? Workers { get; init; }

    /// <summary>Whether calls with several threads may add up to more threads than cores. Default no: they would take the cores from each other in the middle of a call, which costs all of them.</summary>
    public bool AllowOversubscription { get; init; }

    /// <summary>Default auto; see <see cref="WorkerPlacement"/>.</summary>
    public WorkerPlacement Placement { get; init; } = WorkerPlacement.Auto;

    /// <summary>Default auto: an idle model answers without a thread switch; see <see cref="Engine.RunInline"/>.</summary>
    public RunInline RunInline { get; init; } = RunInline.Auto;

    /// <summary>Longest backend call. Default 30 s: longer than any honest call, short enough to notice a loop that never ends.</summary>
    public TimeSpan ExecutionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a call that exceeded <see cref="ExecutionTimeout"/> and was asked to stop may go on before it is given up. Default
    /// 5 s: ONNX Runtime looks between two operators, and no honest operator takes longer.
    /// </summary>
    public TimeSpan TerminationGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Most calls given up and not returned before the model is unavailable. Default null: as many as workers. Each holds a
    /// thread, its buffers, and maybe a core; more than one per core would leave nothing for other models.
    /// </summary>
    public int? MaxHungCalls { get; init; }

    /// <summary>Batches are filled up with zero rows to a multiple of this. Default 1, none; the probe at load raises it where that makes rows independent of their batch.</summary>
    public int PaddingMultiple { get; init; } = 1;

    /// <summary>Batches are filled up with zero rows to at least this many. Default 1, none; the probe raises it as it does <see cref="PaddingMultiple"/>.</summary>
    public int MinimumRows { get; init; } = 1;

    /// <summary>Stated in every receipt. Default null: found by a probe at load. A given class is the operator's word and is not probed.</summary>
    public DeterminismClass? Determinism { get; init; }

    /// <summary>What the probe may take. Default 2 s: enough for all its cases with calls of up to 2 ms per row; a heavier model gets fewer. Zero: no probe, class U.</summary>
    public TimeSpan ProbeBudget { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>About one row in so many is executed again and compared, for classes A and B. Default 1,000: a tenth of a percent of the work. 0: none.</summary>
    public int RecheckOneIn { get; init; } = 1000;

    /// <summary>Default auto: rows of class C, which neighbours change, never share a call with another caller's.</summary>
    public BatchAcrossCallers BatchAcrossCallers { get; init; } = BatchAcrossCallers.Auto;

    /// <summary>Device and fallback.</summary>
    public ExecutionOptions Execution { get; init; } = new();

    internal const int WorkersOnGpu = 2;

    // The set of idle workers is one machine word.
    private const int MaxWorkers = 64;
    private const int MaxIntraOpThreads = 256;
    private const int MaxRows = 65_535;

    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    public void Validate()
    {
        Require(!string.IsNullOrWhiteSpace(Name), $"{nameof(Name)} is empty");
        Require(!string.IsNullOrWhiteSpace(Version), $"{nameof(Version)} is empty");
        Require(!string.IsNullOrWhiteSpace(Path), $"{nameof(Path)} is empty");
        Require(MaxArtifactBytes >= 1, $"{nameof(MaxArtifactBytes)} must be positive");
        Require(MaxBatch is >= 1 and <= MaxRows, $"{nameof(MaxBatch)} must be 1 to {MaxRows}");
        Require(MaxQueueDelay >= TimeSpan.Zero && MaxQueueDelay <= TimeSpan.FromMinutes(1), $"{nameof(MaxQueueDelay)} must be zero to one minute");
        Require(MaxQueuedRequests is >= 1 and <= 1 << 20, $"{nameof(MaxQueuedRequests)} must be 1 to {1 << 20}");
        Require(MaxQueuedBytes >= 1, $"{nameof(MaxQueuedBytes)} must be positive");
        Require(MaxCallerShare is > 0 and <= 1, $"{nameof(MaxCallerShare)} must be above 0, to 1");
        if (QueuePolicies?.Error() is { } error) Require(false, error);
        Require(MaxRowsPerRequest is null || (MaxRowsPerRequest >= 1 && MaxRowsPerRequest <= MaxBatch), $"{nameof(MaxRowsPerRequest)} must be 1 to {nameof(MaxBatch)}");
        Require(MaxRequestBytes is >= 1 and <= int.MaxValue, $"{nameof(MaxRequestBytes)} must be 1 to {int.MaxValue}");
        Require(Workers is null or (>= 1 and <= MaxWorkers), $"{nameof(Workers)} must be 1 to {MaxWorkers}");
        Require(RunInline != RunInline.Always || MaxQueueDelay == TimeSpan.Zero, $"{nameof(RunInline)} cannot be {RunInline.Always} with a {nameof(MaxQueueDelay)}");
        RequireThreads();
        Require(ExecutionTimeout > TimeSpan.Zero, $"{nameof(ExecutionTimeout)} must be positive");
        Require(TerminationGrace > TimeSpan.Zero, $"{nameof(TerminationGrace)} must be positive");
        Require(MaxHungCalls is null or (>= 0 and <= MaxWorkers), $"{nameof(MaxHungCalls)} must be 0 to {MaxWorkers}");
        Require(MinimumRows >= 1 && MinimumRows <= MaxBatch, $"{nameof(MinimumRows)} must be 1 to {nameof(MaxBatch)}");
        Require(ProbeBudget >= TimeSpan.Zero && ProbeBudget <= TimeSpan.FromHours(1), $"{nameof(ProbeBudget)} must be zero to one hour");
        Require(RecheckOneIn >= 0, $"{nameof(RecheckOneIn)} must not be negative");
        Require(PaddingMultiple >= 1 && PaddingMultiple <= MaxBatch && MaxBatch % PaddingMultiple == 0, $"{nameof(MaxBatch)} must be a multiple of {nameof(PaddingMultiple)}");
    }

    internal int WorkerCount => Workers ?? Math.Clamp(Environment.ProcessorCount / Execution.IntraOpThreads, 1, MaxWorkers);

    private void RequireThreads()
    {
        var threads = Execution.IntraOpThreads;
        Require(threads is >= 1 and <= MaxIntraOpThreads, $"{nameof(ExecutionOptions.IntraOpThreads)} must be 1 to {MaxIntraOpThreads}");
        // Workers of one thread each may outnumber the cores: those that wait for one cost nothing.
        Require(threads == 1 || AllowOversubscription || WorkerCount * threads <= Environment.ProcessorCount,
            $"{WorkerCount} workers of {threads} threads ({nameof(ExecutionOptions.IntraOpThreads)}) need more than the {Environment.ProcessorCount} cores; {nameof(AllowOversubscription)} allows it");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException($"model options: {message}");
    }
}
