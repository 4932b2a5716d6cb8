using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// Calls of one lane that a backend did not end although it was asked to. Their callers are answered, their workers given up
/// and replaced, up to a bound; past it the lane refuses. Memory that such a call may still touch is freed only when it returns.
/// </summary>
internal sealed class HungCalls(ModelLane lane)
{
    private const string Source = "hung calls";
    private const string Replacement = "replacement";

    // Held while a worker is found hung and taken apart, so that its call, returning meanwhile, waits until that is done.
    private readonly Lock _gate = new();
    private int _hung;
    private long _total;
    private bool _open;
    private bool _closed;
    private bool _freed;

    private int Limit => lane.Info.Options.MaxHungCalls ?? lane.Info.Options.WorkerCount;

    /// <summary>Calls given up since the model was loaded.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Terminates calls beyond their limit and gives up those that go on beyond the grace. Called by the watchdog.</summary>
    public void Watch(ReadOnlySpan<LaneWorker> workers, long now)
    {
        lock (_gate)
        {
            foreach (var worker in workers)
                if (worker.IsHung(now, _open)) GiveUp(worker);
        }
    }

    /// <summary>A call that was given up has returned after all; called last by its thread.</summary>
    public void Returned(LaneWorker worker)
    {
        lock (_gate)
        {
            _hung--;
            if (worker.HoldsPoolThread) LostPoolThreads.Remove();
            worker.FreeAfterHang();
            if (_hung <= Limit && !_closed) RestoreLost();
            Report();
            if (_freed && _hung == 0) lane.FreeModel();
        }
    }

    /// <summary>The lane serves. Before, its first calls are terminated, but there is nobody else to answer.</summary>
    public void Open()
    {
        lock (_gate) _open = true;
    }

    /// <summary>No worker is added to an idle lane from here on.</summary>
    public void Close()
    {
        lock (_gate) _closed = true;
    }

    /// <summary>Frees the model now, or when the last call that was given up returns; never, if it does not.</summary>
    public void FreeModel()
    {
        lock (_gate)
        {
            _freed = true;
            if (_hung == 0) lane.FreeModel();
        }
    }

    private void GiveUp(LaneWorker worker)
    {
        _hung++;
        _total++;
        if (worker.HoldsPoolThread) LostPoolThreads.Add();
        lane.StopInline();
        var replaced = _hung <= Limit && TryReplace(worker);
        Report();
        if (!replaced && !lane.Workers.HasOthers(worker)) lane.Health.Report(Replacement, ModelHealth.Unavailable, "no worker is left");
        if (!replaced)
        {
            lane.Workers.Lose(worker);
            lane.OnLost();
        }

        // Last: whoever is answered finds the health and the fresh worker.
        worker.AnswerHung(Failures.Hung(lane.Info.Options));
    }

    private void RestoreLost()
    {
        foreach (var worker in lane.Workers.Lost)
            if (!TryReplace(worker)) return;
    }

    /// <summary>False when the backend gives no further executor.</summary>
    private bool TryReplace(LaneWorker worker)
    {
        try
        {
            lane.Workers.Replace(lane.Successor(worker));
            lane.Health.Clear(Replacement);
            return true;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            lane.Health.Report(Replacement, ModelHealth.Degraded, $"a worker could not be replaced: {error.Message}");
            return false;
        }
    }

    private void Report()
    {
        if (_hung == 0) lane.Health.Clear(Source);
        else lane.Health.Report(Source, _hung > Limit ? ModelHealth.Unavailable : ModelHealth.Degraded, $"{_hung} backend calls do not end although they were terminated after {lane.Info.Options.ExecutionTimeout.TotalMilliseconds:0} ms");
    }
}

/// <summary>
/// Keeps the size of the thread pool: as many threads as calls will not give back are added to its minimum, or it would take
/// half a second to notice each. The minimum belongs to the process.
/// </summary>
internal static class LostPoolThreads
{
    private static readonly Lock Gate = new();

    public static void Add() => Change(1);

    public static void Remove() => Change(-1);

    private static void Change(int by)
    {
        lock (Gate)
        {
            ThreadPool.GetMinThreads(out var workers, out var ports);
            // Refused beyond the pool's maximum, which only a host with so many hung calls reaches.
            ThreadPool.SetMinThreads(Math.Max(1, workers + by), ports);
        }
    }
}
