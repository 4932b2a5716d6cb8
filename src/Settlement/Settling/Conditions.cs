namespace OpenGradient.Engine.Settlement;

/// <summary>What can hold settlement up: a closed set.</summary>
public enum ConditionKind
{
    ChainUnreachable,
    WrongChain,
    ContractMissing,
    AccountEmpty,
    FeeCapReached,
    NodeRefuses,
    CallWouldFail,
    KeyNotActive,

    /// <summary>The contract knows more of this log than the local outbox: an old disk was restored. Nothing is signed.</summary>
    LogRolledBack,

    /// <summary>The contract anchors a history that is not this log's. Nothing is signed.</summary>
    LogDiverged,

    /// <summary>A reorganisation undid an anchor that had been reported as final.</summary>
    Reorganised,
    OutboxFull,
    OutboxFailed,

    /// <summary>The database that keeps the outbox does not answer. Appends wait and go on by themselves.</summary>
    OutboxUnreachable,

    /// <summary>A log's epoch shows evidence that this verifier's trust file does not accept. Nothing of the log is verified, and nothing quarantined.</summary>
    EvidenceRefused,
}

/// <summary>Something that holds settlement up now.</summary>
/// <param name="Advice">What an operator can do. Everything but a failed outbox and a log that does not fit resumes by itself.</param>
public sealed record Condition(ConditionKind Kind, string Text, string Advice, DateTimeOffset Since);

/// <summary>The conditions that hold now. Written by the settler; read by anyone.</summary>
internal sealed class ConditionBoard(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<ConditionKind, Condition> _now = [];
    private readonly SortedDictionary<ConditionKind, long> _raised = [];

    public IReadOnlyList<Condition> Now
    {
        get { lock (_gate) return [.. _now.Values]; }
    }

    /// <summary>How often each condition began, for metrics and alarms.</summary>
    public IReadOnlyDictionary<ConditionKind, long> Raised
    {
        get { lock (_gate) return new Dictionary<ConditionKind, long>(_raised); }
    }

    public void Set(ConditionKind kind, string text, string advice)
    {
        lock (_gate)
        {
            if (!_now.TryGetValue(kind, out var before)) _raised[kind] = _raised.GetValueOrDefault(kind) + 1;
            _now[kind] = new(kind, text, advice, before?.Since ?? clock.GetUtcNow());
        }
    }

    public void Clear(params ReadOnlySpan<ConditionKind> kinds)
    {
        lock (_gate)
            foreach (var kind in kinds) _now.Remove(kind);
    }
}
