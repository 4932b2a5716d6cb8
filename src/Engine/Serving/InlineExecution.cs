namespace OpenGradient.Engine.Serving;

/// <summary>What the first calls of a model took; <see cref="Unknown"/> for one whose sizes are open.</summary>
/// <param name="Single">The fastest call with one row.</param>
/// <param name="Largest">The fastest call with the largest batch.</param>
internal readonly record struct WarmUpTimes(TimeSpan Single, TimeSpan Largest)
{
    public static readonly WarmUpTimes Unknown = new(TimeSpan.MaxValue, TimeSpan.MaxValue);
}

/// <summary>
/// Decides whether an idle lane executes a request on the thread that asks. That spares two thread switches, which cost more
/// than a small model's call; whoever does not wait for answers before asking again must still get batches, so it needs a
/// lane without any other request in it.
/// </summary>
internal sealed class InlineExecution(ModelOptions options)
{
    // Two thread switches take 10 to 100 µs: above 1 ms they are a small part of the call, while the caller's thread,
    // which may have better to do, would be held for all of it.
    private static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(1);

    // Long enough to meet a moment without callers in between, short enough to get over a lost result within seconds.
    private const int Window = 1024;

    // Zero: never. Written before the lane opens, and once more to turn it off.
    private volatile int _maxRows;

    // Requests whose results are not disposed, and never will be as it seems: the fewest seen in the last window. Written by
    // any admitting thread without a lock; a lost write makes a window longer, nothing else.
    private int _floor;
    private int _fewest = int.MaxValue;
    private int _left = Window;

    /// <summary>Sets the most rows whose call stays within the bound, taking the time between one row and the largest batch as linear.</summary>
    public void Measured(WarmUpTimes times) => _maxRows = options.RunInline switch
    {
        RunInline.Never => 0,
        RunInline.Always => int.MaxValue,
        // Whoever waits for more rows, or gave the workers threads of their own, wants no call on the caller's thread.
        _ => options.MaxQueueDelay > TimeSpan.Zero || options.Placement == WorkerPlacement.OwnThreads ? 0 : RowsWithin(times),
    };

    public void TurnOff() => _maxRows = 0;

    /// <param name="waiting">Requests that wait.</param>
    /// <param name="outstanding">Requests from admission to their result's disposal, this one included.</param>
    public bool Allows(PendingRequest request, int waiting, int outstanding)
    {
        if (request.Rows > _maxRows || waiting > 0 || request.Bytes > options.MaxQueuedBytes) return false;
        // What waits for a pool thread would wait longer: answered without a pause, a caller in a loop never gives its own up.
        return IsAlone(outstanding - 1) && !(Thread.CurrentThread.IsThreadPoolThread && ThreadPool.PendingWorkItemCount > 0);
    }

    private bool IsAlone(int others)
    {
        if (others < _fewest) _fewest = others;
        if (others < _floor) _floor = others;
        if (--_left <= 0)
        {
            _floor = _fewest;
            _fewest = int.MaxValue;
            _left = Window;
        }

        return others <= _floor;
    }

    private int RowsWithin(WarmUpTimes times)
    {
        if (times.Single > Bound) return 0;
        if (times.Largest <= Bound) return int.MaxValue;
        if (options.MaxBatch == 1) return 1;
        var perRow = (times.Largest - times.Single) / (options.MaxBatch - 1);
        return 1 + (int)((Bound - times.Single) / perRow);
    }
}
