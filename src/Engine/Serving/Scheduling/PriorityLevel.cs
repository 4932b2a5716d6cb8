namespace OpenGradient.Engine.Serving.Scheduling;

/// <summary>
/// The callers that wait at one priority, served in turn by rows (deficit round robin, quantum one row): whose turn it is gets
/// one row's credit, and its first request when the credit covers it. So a request at the head of its caller's queue is passed
/// by at most as many rows of each other caller as it has itself, however much those have waiting. Not thread-safe.
/// </summary>
internal sealed class PriorityLevel
{
    // How many callers' heads are looked at for the shape of a begun batch, a bound on the time that the lock is held.
    private const int MostLookedAt = 32;

    private CallerQueue? _turn;

    /// <summary>Requests that count at this priority, those on their way included.</summary>
    public int Requests { get; private set; }

    public long Rows { get; private set; }

    /// <summary>Callers of whom something counts at this priority.</summary>
    public int Callers { get; private set; }

    /// <summary>Rows of higher priorities that went past what waits here, less those paid back.</summary>
    public long Passed { get; set; }

    public bool HasLinked => _turn is not null;

    public void Count(CallerQueue queue, QueueEntry entry)
    {
        if (queue.Requests == 0) Callers++;
        queue.Count(entry);
        Requests++;
        Rows += entry.Rows;
    }

    public void Uncount(QueueEntry entry)
    {
        var queue = entry.Queue!;
        queue.Uncount(entry);
        if (queue.Requests == 0) Callers--;
        Requests--;
        Rows -= entry.Rows;
    }

    public void Append(QueueEntry entry)
    {
        var queue = entry.Queue!;
        if (queue.First is null) Join(queue);
        queue.Append(entry);
    }

    /// <summary>Puts a request back that was taken and did not fit: it is the next one.</summary>
    public void Prepend(QueueEntry entry)
    {
        var queue = entry.Queue!;
        if (queue.First is null) Join(queue);
        queue.Prepend(entry);
        queue.Credit = Math.Max(queue.Credit, entry.Rows);
        _turn = queue;
    }

    public void Unlink(QueueEntry entry)
    {
        var queue = entry.Queue!;
        queue.Unlink(entry);
        if (queue.First is null) Leave(queue);
    }

    /// <summary>Unlinks the next request that fits: the one in turn, or where only its shape is in the way, another caller's.</summary>
    /// <param name="inTurn">Whether it is the one in turn.</param>
    public Take TryTake(IBatchFit batch, out QueueEntry? entry, out bool inTurn)
    {
        entry = null;
        inTurn = false;
        if (_turn is null) return Take.Empty;
        GiveTurn();
        var next = _turn.First!;
        switch (batch.Check(next))
        {
            case Fit.TooManyRows:
                return Take.TooManyRows;
            case Fit.OtherShape:
                if (FindOfShape(batch) is not { } other) return Take.OtherShape;
                next = other;
                break;
            default:
                // Whoever was served gives the turn on, before its queue may leave the round.
                inTurn = true;
                _turn = _turn.NextInRound;
                break;
        }

        next.Queue!.Credit -= next.Rows;
        Unlink(next);
        entry = next;
        return Take.Taken;
    }

    /// <summary>Moves the turn to the first caller whose credit covers its first request. Every visit adds a row's credit, so the visits are no more than the rows served.</summary>
    private void GiveTurn()
    {
        // Nobody to share with: no accounts are kept.
        if (_turn!.NextInRound == _turn)
        {
            _turn.Credit = Math.Max(_turn.Credit, _turn.First!.Rows);
            return;
        }

        while (_turn.Credit < _turn.First!.Rows)
        {
            _turn.Credit++;
            if (_turn.Credit >= _turn.First.Rows) return;
            _turn = _turn.NextInRound!;
        }
    }

    /// <summary>Rather than end the batch early, other callers fill it, on credit; the turn stays where it is.</summary>
    private QueueEntry? FindOfShape(IBatchFit batch)
    {
        var left = MostLookedAt;
        for (var queue = _turn!.NextInRound!; queue != _turn && left > 0; queue = queue.NextInRound!, left--)
            if (batch.Check(queue.First!) == Fit.Yes) return queue.First;
        return null;
    }

    /// <summary>A new caller joins behind everybody who is in the round.</summary>
    private void Join(CallerQueue queue)
    {
        queue.Credit = 0;
        if (_turn is null)
        {
            _turn = queue.NextInRound = queue.PreviousInRound = queue;
            return;
        }

        queue.NextInRound = _turn;
        queue.PreviousInRound = _turn.PreviousInRound;
        _turn.PreviousInRound!.NextInRound = queue;
        _turn.PreviousInRound = queue;
    }

    private void Leave(CallerQueue queue)
    {
        if (_turn == queue) _turn = queue.NextInRound == queue ? null : queue.NextInRound;
        queue.PreviousInRound!.NextInRound = queue.NextInRound;
        queue.NextInRound!.PreviousInRound = queue.PreviousInRound;
        queue.NextInRound = queue.PreviousInRound = null;
        if (_turn is null) Passed = 0;
    }
}
