namespace OpenGradient.Engine.Serving.Scheduling;

/// <summary>Why a request may not wait.</summary>
internal enum Refusal
{
    None,

    /// <summary>Its priority's queue holds as many requests as its policy allows.</summary>
    PriorityFull,

    /// <summary>Its caller has as many requests waiting as one caller may.</summary>
    CallerFull,
}

/// <summary>
/// Who is next: priorities, and within each the callers in turn. A structure without clock, threads and lock of its own: the
/// owner guards it. Requests are counted when they are admitted, linked when they arrive, and uncounted when they leave.
/// </summary>
internal sealed class RequestScheduler
{
    /// <summary>
    /// Rows of higher priorities that may go past a lower one that waits, for one row of its own. One row in sixteen: a lower
    /// priority keeps moving at 6% of the model's speed, which finishes it before it is forgotten, and the two lower ones
    /// together cost the highest at most an eighth.
    /// </summary>
    public const int RowsPerTurn = 15;

    private readonly PriorityLevel[] _levels = [new(), new(), new()];
    private readonly WaitingCaller _anonymous;
    private readonly Dictionary<string, WaitingCaller> _callers = new(StringComparer.Ordinal);

    // Callers of whom nothing waits any more, for the next ones. As many at most as requests can wait.
    private readonly Stack<WaitingCaller> _unused = new();
    private readonly int[] _priorityLimits;
    private readonly int _callerLimit;

    /// <param name="priorityLimits">Most requests per priority, highest first.</param>
    /// <param name="callerLimit">Most requests of one named caller.</param>
    public RequestScheduler(int[] priorityLimits, int callerLimit)
    {
        _priorityLimits = priorityLimits;
        _callerLimit = callerLimit;
        _anonymous = new WaitingCaller(_levels.Length);
    }

    /// <summary>Requests that are linked: that could be taken now.</summary>
    public int Linked { get; private set; }

    /// <summary>Rows that count, those on their way included.</summary>
    public long Rows => _levels[0].Rows + _levels[1].Rows + _levels[2].Rows;

    public int Requests => _levels[0].Requests + _levels[1].Requests + _levels[2].Requests;

    /// <summary>Named callers of whom something waits.</summary>
    public int NamedCallers => _callers.Count;

    /// <summary>Counts a request that is being admitted, unless its priority or its caller has enough waiting.</summary>
    public Refusal TryCount(QueueEntry entry, string? caller)
    {
        if (_levels[(int)entry.Priority].Requests >= _priorityLimits[(int)entry.Priority]) return Refusal.PriorityFull;
        if (caller is null)
        {
            Count(entry, _anonymous);
            return Refusal.None;
        }

        if (!_callers.TryGetValue(caller, out var waiting))
        {
            if (!_unused.TryPop(out waiting)) waiting = new WaitingCaller(_levels.Length);
            waiting.Name = caller;
            _callers.Add(caller, waiting);
        }
        else if (waiting.Requests >= _callerLimit)
        {
            return Refusal.CallerFull;
        }

        Count(entry, waiting);
        return Refusal.None;
    }

    /// <summary>Links a request that has arrived; one that was not counted counts as the anonymous caller's.</summary>
    public void Add(QueueEntry entry)
    {
        if (entry.Queue is null) Count(entry, _anonymous);
        _levels[(int)entry.Priority].Append(entry);
        Linked++;
    }

    /// <summary>Puts back, as the next of its priority, a request that was taken past this scheduler and did not fit.</summary>
    public void PutBack(QueueEntry entry)
    {
        if (entry.Queue is null) Count(entry, _anonymous);
        _levels[(int)entry.Priority].Prepend(entry);
        Linked++;
    }

    /// <summary>Takes the next request that fits the batch, and uncounts it.</summary>
    public Take TryTake(IBatchFit batch, out QueueEntry? entry)
    {
        entry = null;
        if (Linked == 0) return Take.Empty;
        var highest = 0;
        while (!_levels[highest].HasLinked) highest++;
        for (var level = highest + 1; level < _levels.Length; level++)
        {
            // One that is due but does not fit stays due, and so begins the next batch.
            if (_levels[level].Passed < RowsPerTurn || _levels[level].TryTake(batch, out entry, out var inTurn) != Take.Taken) continue;
            // Whoever fills up for the shape's sake does not use up the turn of the one that it passed.
            if (inTurn) _levels[level].Passed -= (long)RowsPerTurn * entry!.Rows;
            Taken(entry!, level);
            return Take.Taken;
        }

        var result = _levels[highest].TryTake(batch, out entry, out _);
        if (result == Take.Taken) Taken(entry!, highest);
        return result;
    }

    /// <summary>A request ends without having been taken. True when it was linked; false: it was taken before, or is on its way.</summary>
    public bool Remove(QueueEntry entry)
    {
        if (entry.Queue is null) return false;
        var linked = Unlink(entry);
        Uncount(entry);
        return linked;
    }

    /// <summary>Moves a request to the end of the next lower priority. False when it no longer waits.</summary>
    public bool TryDowngrade(QueueEntry entry)
    {
        // Not counted, but on its way: it will be, at the priority that it has then.
        if (entry.Queue is not { } queue) return false;
        var linked = Unlink(entry);
        _levels[(int)entry.Priority].Uncount(entry);
        entry.Priority++;
        _levels[(int)entry.Priority].Count(queue.Caller.Of(entry.Priority), entry);
        if (!linked) return true;
        _levels[(int)entry.Priority].Append(entry);
        Linked++;
        return true;
    }

    /// <summary>
    /// The least work that goes before a new request of this priority and caller, as its turns are now: of its own priority all
    /// of its caller's and of each other caller as much as that; of higher ones what there is, up to what turns let past.
    /// </summary>
    /// <param name="size">The request's own rows.</param>
    /// <param name="uncounted">What waits without being counted here: of the anonymous caller, at normal priority.</param>
    /// <param name="inRows">Whether to count rows, else requests.</param>
    public long WorkBefore(RequestPriority priority, string? caller, int size, long uncounted, bool inRows)
    {
        long Of(PriorityLevel level) => inRows ? level.Rows : level.Requests;
        long higher = 0;
        for (var i = 0; i < (int)priority; i++) higher += Of(_levels[i]) + (i == (int)RequestPriority.Normal ? uncounted : 0);
        var here = priority == RequestPriority.Normal ? uncounted : 0;

        var own = caller is null ? _anonymous.Of(priority) : _callers.TryGetValue(caller, out var waiting) ? waiting.Of(priority) : null;
        var mine = (own is null ? 0 : inRows ? own.Rows : own.Requests) + (caller is null ? here : 0);
        var all = Of(_levels[(int)priority]) + here;
        var others = _levels[(int)priority].Callers - (own is { Requests: > 0 } ? 1 : 0);
        if (caller is not null && here > 0 && _anonymous.Of(priority).Requests == 0) others++;
        var before = mine + Math.Min(all - mine, others * (mine + size));
        return before + Math.Min(higher, RowsPerTurn * (before + size));
    }

    private void Taken(QueueEntry entry, int from)
    {
        Linked--;
        for (var level = from + 1; level < _levels.Length; level++)
            if (_levels[level].HasLinked) _levels[level].Passed += entry.Rows;
        Uncount(entry);
    }

    private bool Unlink(QueueEntry entry)
    {
        if (!entry.IsLinked) return false;
        _levels[(int)entry.Priority].Unlink(entry);
        Linked--;
        return true;
    }

    private void Count(QueueEntry entry, WaitingCaller caller)
    {
        _levels[(int)entry.Priority].Count(caller.Of(entry.Priority), entry);
        caller.Requests++;
    }

    private void Uncount(QueueEntry entry)
    {
        var caller = entry.Queue!.Caller;
        _levels[(int)entry.Priority].Uncount(entry);
        caller.Requests--;
        if (caller.Requests > 0 || caller.Name is not { } name) return;
        _callers.Remove(name);
        caller.Name = null;
        _unused.Push(caller);
    }
}
