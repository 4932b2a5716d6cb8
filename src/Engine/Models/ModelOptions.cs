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

    /// <summary>The model's file.</summary>
    public required string Path { get; init; }

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

    /// <summary>Most rows in one request. Default null: <see cref="MaxBatch"/>, since a request is never split over calls.</summary>
    public int? MaxRowsPerRequest { get; init; }

    /// <summary>Most input bytes in one request. Default 64 MiB, which bounds a worker's buffers for models with open inner dimensions.</summary>
    public long MaxRequestBytes { get; init; } = 64L << 20;

    /// <summary>Default allow: tree models read NaN as "missing", and the bits are committed either way.</summary>
    public NonFinitePolicy NonFinite { get; init; } = NonFinitePolicy.Allow;

    /// <summary>Concurrent backend calls. Default null: one per core, each with one thread.</summary>
    public int? Workers { get; init; }

    /// <summary>Default auto; see <see cref="WorkerPlacement"/>.</summary>
    public WorkerPlacement Placement { get; init; } = WorkerPlacement.Auto;

    /// <summary>Longest backend call. Default 30 s: longer than any honest call, short enough to notice a loop that never ends.</summary>
    public TimeSpan ExecutionTimeout { get; init; } = TimeSpan.FromSeconds(30);

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

    // The set of idle workers is one machine word.
    private const int MaxWorkers = 64;
    private const int MaxRows = 65_535;

    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    public void Validate()
    {
        Require(!string.IsNullOrWhiteSpace(Name), $"{nameof(Name)} is empty");
        Require(!string.IsNullOrWhiteSpace(Version), $"{nameof(Version)} is empty");
        Require(!string.IsNullOrWhiteSpace(Path), $"{nameof(Path)} is empty");
        Require(MaxBatch is >= 1 and <= MaxRows, $"{nameof(MaxBatch)} must be 1 to {MaxRows}");
        Require(MaxQueueDelay >= TimeSpan.Zero && MaxQueueDelay <= TimeSpan.FromMinutes(1), $"{nameof(MaxQueueDelay)} must be zero to one minute");
        Require(MaxQueuedRequests is >= 1 and <= 1 << 20, $"{nameof(MaxQueuedRequests)} must be 1 to {1 << 20}");
        Require(MaxQueuedBytes >= 1, $"{nameof(MaxQueuedBytes)} must be positive");
        Require(MaxRowsPerRequest is null || (MaxRowsPerRequest >= 1 && MaxRowsPerRequest <= MaxBatch), $"{nameof(MaxRowsPerRequest)} must be 1 to {nameof(MaxBatch)}");
        Require(MaxRequestBytes is >= 1 and <= int.MaxValue, $"{nameof(MaxRequestBytes)} must be 1 to {int.MaxValue}");
        Require(Workers is null or (>= 1 and <= MaxWorkers), $"{nameof(Workers)} must be 1 to {MaxWorkers}");
        Require(ExecutionTimeout > TimeSpan.Zero, $"{nameof(ExecutionTimeout)} must be positive");
        Require(MinimumRows >= 1 && MinimumRows <= MaxBatch, $"{nameof(MinimumRows)} must be 1 to {nameof(MaxBatch)}");
        Require(ProbeBudget >= TimeSpan.Zero && ProbeBudget <= TimeSpan.FromHours(1), $"{nameof(ProbeBudget)} must be zero to one hour");
        Require(RecheckOneIn >= 0, $"{nameof(RecheckOneIn)} must not be negative");
        Require(PaddingMultiple >= 1 && PaddingMultiple <= MaxBatch && MaxBatch % PaddingMultiple == 0, $"{nameof(MaxBatch)} must be a multiple of {nameof(PaddingMultiple)}");
    }

    internal int WorkerCount => Workers ?? Math.Min(Environment.ProcessorCount, MaxWorkers);

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException($"model options: {message}");
    }
}
