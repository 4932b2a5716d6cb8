using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.LanguageModels.Diagnostics;

/// <summary>One model's counters. Written by the scheduler's thread, but for the refused; read by anybody, at most a step late.</summary>
internal sealed class ModelCounters
{
    private readonly long[] _finished = new long[Enum.GetValues<FinishReason>().Length];
    private long _refused;

    public int Running { get; set; }

    public int Preempted { get; set; }

    public int PagesHeld { get; set; }

    public int PagesCached { get; set; }

    public long PromptTokens { get; set; }

    public long CachedPromptTokens { get; set; }

    public long CompletionTokens { get; set; }

    public long ComputedTokens { get; set; }

    public long Steps { get; set; }

    public long FailedSteps { get; set; }

    public long Preemptions { get; set; }

    public long Embeddings { get; set; }

    public long Replays { get; set; }

    public long Heads { get; set; }

    public long Statements { get; set; }

    public long RefusedBySink { get; set; }

    public LatencyRecorder FirstToken { get; } = new();

    public LatencyRecorder InterToken { get; } = new();

    public LatencyRecorder Queued { get; } = new();

    public LatencyRecorder StepTime { get; } = new();

    public void Refuse() => Interlocked.Increment(ref _refused);

    public void Finish(FinishReason reason) => _finished[(int)reason]++;

    public LanguageModelStatistics Snapshot(int waiting, int pages) => new()
    {
        Waiting = waiting,
        Running = Running,
        Preempted = Preempted,
        Finished = Enum.GetValues<FinishReason>().Where(reason => reason != FinishReason.None).ToDictionary(reason => reason, reason => Volatile.Read(ref _finished[(int)reason])),
        Refused = Volatile.Read(ref _refused),
        PromptTokens = PromptTokens,
        CachedPromptTokens = CachedPromptTokens,
        CompletionTokens = CompletionTokens,
        ComputedTokens = ComputedTokens,
        Steps = Steps,
        FailedSteps = FailedSteps,
        Preemptions = Preemptions,
        Embeddings = Embeddings,
        Replays = Replays,
        Heads = Heads,
        Statements = Statements,
        RefusedBySink = RefusedBySink,
        Pages = pages,
        PagesHeld = PagesHeld,
        PagesCached = PagesCached,
        FirstToken = FirstToken.Snapshot(),
        InterToken = InterToken.Snapshot(),
        Queued = Queued.Snapshot(),
        StepTime = StepTime.Snapshot(),
    };
}
