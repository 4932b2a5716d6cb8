using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>Why settlement batches were closed. Guarded by the state's lock.</summary>
internal sealed class CloseCounts
{
    private readonly SortedDictionary<CloseReason, long> _counts =
        new(Enum.GetValues<CloseReason>().Where(reason => reason != CloseReason.None).ToDictionary(reason => reason, _ => 0L));

    private (CloseReason Reason, ulong At) _last;

    /// <param name="counts">False while the journal is replayed.</param>
    public void Add(CloseReason reason, ulong at, bool counts)
    {
        _last = (reason, at);
        if (counts) _counts[reason] = _counts.GetValueOrDefault(reason) + 1;
    }

    public CloseSnapshot Snapshot() => new(new Dictionary<CloseReason, long>(_counts), _last.Reason, _last.At == 0 ? null : _last.At);
}

/// <summary>Why settlement batches were closed.</summary>
/// <param name="Counts">Since the process began, every reason.</param>
/// <param name="Last">Why the last one was, also before a restart; none before the first.</param>
/// <param name="LastAt">When, nanoseconds since 1970.</param>
public sealed record CloseSnapshot(IReadOnlyDictionary<CloseReason, long> Counts, CloseReason Last, ulong? LastAt);
