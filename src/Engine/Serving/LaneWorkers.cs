using System.Numerics;
using System.Runtime.CompilerServices;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// The workers of one lane and who of them is free, a bit each in machine words. A worker is idle (its bit set), or runs and looks
/// at the queue once more after setting its bit; whoever clears a bit lets that worker run.
/// </summary>
internal sealed class LaneWorkers : IDisposable
{
    private readonly LaneWorker[] _workers;
    private readonly ActiveLanes _active;

    // The bits of the workers there are: a hung call may cost one.
    private ulong _all;

    // Bit per worker: waits for work. None before the lane opens.
    private ulong _idle;

    // Bit per worker: holds a batch that is not full and waits for more rows (queue delay).
    private ulong _collecting;

    public LaneWorkers(int count, Func<int, LaneWorker> make, ActiveLanes active)
    {
        _active = active;
        _workers = new LaneWorker[count];
        _all = count == 64 ? ulong.MaxValue : (1ul << count) - 1;
        for (var i = 0; i < count; i++) _workers[i] = make(i);
    }

    public ReadOnlySpan<LaneWorker> All => _workers;

    public IEnumerable<WorkerCounters> Counters => _workers.Select(worker => worker.Counters);

    public bool AreAllIdle => Volatile.Read(ref _idle) == Volatile.Read(ref _all);

    /// <summary>Workers whose calls were given up and that nobody replaced.</summary>
    public IEnumerable<LaneWorker> Lost => _workers.Where(worker => worker.IsGivenUp);

    public void Open(bool onOwnThreads)
    {
        foreach (var worker in _workers) worker.Start(onOwnThreads);
        Interlocked.Exchange(ref _idle, _all);
    }

    /// <summary>Over how many workers the lane's requests should be spread now.</summary>
    public int Spread => _active.WorkersFor(_workers.Length);

    /// <summary>Marks a worker idle; its queue has to be looked at after.</summary>
    public void Park(ulong bit)
    {
        if ((Interlocked.Or(ref _idle, bit) | bit) == _all) _active.Leave();
    }

    /// <summary>Takes an idle worker back. False when somebody else did.</summary>
    public bool TryUnpark(ulong bit) => TryTake(ref _idle, bit);

    /// <summary>Takes a worker while all are idle, for the calling thread.</summary>
    public bool TryTakeWhileAllIdle(out LaneWorker worker)
    {
        var all = _all;
        var bit = all & (~all + 1);
        worker = null!;
        if (bit == 0 || Interlocked.CompareExchange(ref _idle, all & ~bit, all) != all) return false;
        _active.Enter();
        worker = _workers[BitOperations.TrailingZeroCount(bit)];
        return true;
    }

    /// <summary>Takes every worker if all are idle: from then on none is let run, by a late <see cref="Wake"/> either.</summary>
    public bool TryTakeAll()
    {
        var all = Volatile.Read(ref _all);
        return Interlocked.CompareExchange(ref _idle, 0, all) == all;
    }

    /// <summary>Takes <see cref="TryTakeAll"/> back: there is work after all.</summary>
    public void GiveBackAll()
    {
        Interlocked.Or(ref _idle, Volatile.Read(ref _all));
        Wake();
    }

    /// <summary>Marks a worker as holding a batch that waits for more rows.</summary>
    public void BeginCollecting(ulong bit) => Interlocked.Or(ref _collecting, bit);

    /// <summary>True when the worker's signal has been or will be given, false when nobody took its bit.</summary>
    public bool EndCollecting(ulong bit) => (Interlocked.And(ref _collecting, ~bit) & bit) == 0;

    /// <summary>Lets one worker run that waits for rows or for work, if there is one.</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _collecting) != 0 && WakeFrom(ref _collecting)) return;
        if (Volatile.Read(ref _idle) != 0) WakeFrom(ref _idle);
    }

    /// <summary>Whoever waits for more rows will get none.</summary>
    public void EndAllCollecting()
    {
        while (WakeFrom(ref _collecting))
        {
            // Until none is left.
        }
    }

    /// <summary>Puts a fresh worker in the place of one whose call was given up. On its own thread: the next call may hang too.</summary>
    public void Replace(LaneWorker fresh)
    {
        _workers[fresh.Index] = fresh;
        Interlocked.Or(ref _all, 1ul << fresh.Index);
        fresh.Start(ownThread: true);
        fresh.Schedule();
    }

    /// <summary>Goes on without a worker whose call was given up.</summary>
    public void Lose(LaneWorker hung) => Interlocked.And(ref _all, ~(1ul << hung.Index));

    public bool HasOthers(LaneWorker hung) => (Volatile.Read(ref _all) & ~(1ul << hung.Index)) != 0;

    /// <summary>Frees the workers, all idle by now, except those whose calls go on.</summary>
    public void Dispose()
    {
        foreach (var worker in _workers)
            if (!worker.IsGivenUp) worker.Dispose();
    }

    private bool WakeFrom(ref ulong workers)
    {
        for (ulong seen; (seen = Volatile.Read(ref workers)) != 0;)
        {
            var bit = seen & (~seen + 1);
            if (!TryTake(ref workers, bit)) continue;
            _workers[BitOperations.TrailingZeroCount(bit)].Schedule();
            return true;
        }

        return false;
    }

    private bool TryTake(ref ulong workers, ulong bit)
    {
        var before = Interlocked.And(ref workers, ~bit);
        // A collecting worker is not idle, so its lane is counted already; with a single bit both words can look alike.
        if (before == _all && Unsafe.AreSame(ref workers, ref _idle)) _active.Enter();
        return (before & bit) != 0;
    }
}
