namespace OpenGradient.Engine.Settlement;

/// <summary>What can hold settlement up: a closed set.</summary>
public enum ConditionKind
{
    ChainUnreachable,
    WrongChain,
    ContractMissing,
    AccountEmpty,
    FeeCapReached,

    /// <summary>The next transaction could pass what may be spent in 24 hours. It is sent when enough of that is a day old.</summary>
    SpendLimitReached,

    /// <summary>The signer of transactions does not answer, refuses, or answers with something that is not its key's signature.</summary>
    SignerUnavailable,

    /// <summary>The contract's owner halted this log: nothing is anchored until it is resumed.</summary>
    LogHalted,
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

    /// <summary>Something that this epoch's key signed did not hold: it signs nothing more, a restart begins a new epoch.</summary>
    EpochHalted,

    /// <summary>A witness cosigned more of this log than the journal has signed: an old disk was restored. Nothing is signed.</summary>
    WitnessAhead,

    /// <summary>A witness cosigned a history that this log does not extend. Nothing is signed.</summary>
    WitnessDisagrees,

    /// <summary>The witnesses have not been asked yet since the process began. Nothing is signed until they were.</summary>
    WitnessesUnasked,

    /// <summary>A witness does not answer, or does not cosign for this log. Settlement goes on without its cosignature.</summary>
    WitnessUnavailable,

    /// <summary>Archive or snapshot cannot be written: memory grows and restarts take longer, nothing is lost.</summary>
    ArchiveFailed,

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

    /// <summary>A checkpoint signed now could contradict one that is out there.</summary>
    public bool ForbidCheckpoints
    {
        get
        {
            lock (_gate) return _now.ContainsKey(ConditionKind.WitnessAhead) || _now.ContainsKey(ConditionKind.WitnessDisagrees) || _now.ContainsKey(ConditionKind.WitnessesUnasked);
        }
    }

    public void Clear(params ReadOnlySpan<ConditionKind> kinds)
    {
        lock (_gate)
            foreach (var kind in kinds) _now.Remove(kind);
    }
}
