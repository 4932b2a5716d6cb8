namespace OpenGradient.Engine.Serving.Scheduling;

/// <summary>
/// A moving estimate of how long a full call takes, from the calls that were made. It errs to the short side, since what it is
/// for is to refuse only what cannot be in time: calls of few rows, which are all that a quiet model makes, pull it down to
/// what they took. Written by all workers without a lock: an update that is lost is one sample fewer.
/// </summary>
internal sealed class CallEstimate
{
    // A full call counts a quarter, so eight of them forget nine tenths of what was; any call at least a thirty-second part, so
    // that an estimate that became too long is gone after about a hundred calls of whatever size.
    private const double FullWeight = 0.25;
    private const double LeastWeight = 1.0 / 32;

    // One call that took far longer than usual (a page fault, a neighbour on the machine) is no new normal.
    private const double MostGrowth = 4;

    private long _ticks;

    /// <summary>Clock ticks of one call, 0 when nothing has been measured.</summary>
    public long Ticks => Volatile.Read(ref _ticks);

    /// <param name="ticks">Clock ticks of a call that succeeded.</param>
    /// <param name="fullness">Its rows over the most that a call may have.</param>
    public void Add(long ticks, double fullness)
    {
        var known = Volatile.Read(ref _ticks);
        if (ticks < 1) ticks = 1;
        if (known == 0)
        {
            Volatile.Write(ref _ticks, ticks);
            return;
        }

        var sample = Math.Min(ticks, known * MostGrowth);
        var next = known + ((sample - known) * Math.Max(LeastWeight, FullWeight * fullness));
        Volatile.Write(ref _ticks, Math.Max(1, (long)next));
    }

    /// <summary>Ticks until a call begins that has room for what comes after the given work: whole rounds of full calls on all workers. What is running now is not counted, as it may be ending.</summary>
    public long TicksUntil(long workBefore, long workPerCall, int workers) => workBefore / (workPerCall * workers) * Ticks;
}
