using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Determinism;

/// <summary>Keeps a probe within its budget: says which batch is still affordable, and stops a call that outlives the budget or the model's limit.</summary>
internal sealed class ProbeClock : IDisposable
{
    private readonly TimeProvider _time;
    private readonly RowExecution _execution;
    private readonly TimeSpan _budget;
    private readonly TimeSpan _callLimit;
    private readonly long _start;
    private readonly ITimer _timer;

    // Guards the two below: the timer must never stop the call after the one it was set for.
    private readonly Lock _gate = new();
    private bool _running;
    private bool _stopped;
    private TimeSpan _slowest;
    private int _slowestRows = 1;

    public ProbeClock(TimeProvider time, RowExecution execution, TimeSpan budget, TimeSpan callLimit)
    {
        _time = time;
        _execution = execution;
        _budget = budget;
        _callLimit = callLimit;
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((ProbeClock)state!).Stop(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public TimeSpan Elapsed => _time.GetElapsedTime(_start);

    /// <summary>Whether a call was stopped. Nothing can be executed after that.</summary>
    public bool IsStopped
    {
        get
        {
            lock (_gate) return _stopped;
        }
    }

    /// <summary>Whether a call of so many rows will probably end within a share of the budget, by the slowest call so far.</summary>
    public bool Affords(int rows, double share = 1)
    {
        if (IsStopped) return false;
        var expected = rows <= _slowestRows ? _slowest : _slowest * ((double)rows / _slowestRows);
        return Elapsed + expected <= _budget * share;
    }

    public BackendFault? Execute(ReadOnlySpan<RowTensor> inputs, int rows, int batchRows, int firstSlot, Neighbours neighbours)
    {
        var left = _budget - Elapsed;
        lock (_gate)
        {
            if (_stopped || left <= TimeSpan.Zero)
            {
                _stopped = true;
                return new BackendFault("Budget", "the probe's time is over");
            }

            _running = true;
        }

        _timer.Change(left < _callLimit ? left : _callLimit, Timeout.InfiniteTimeSpan);
        var began = _time.GetTimestamp();
        try
        {
            return _execution.Execute(inputs, rows, batchRows, firstSlot, neighbours);
        }
        finally
        {
            lock (_gate) _running = false;
            Remember(_time.GetElapsedTime(began), batchRows);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Remember(TimeSpan took, int rows)
    {
        if (took <= _slowest && rows <= _slowestRows) return;
        _slowest = took > _slowest ? took : _slowest;
        _slowestRows = Math.Max(_slowestRows, rows);
    }

    private void Stop()
    {
        lock (_gate)
        {
            if (!_running || _stopped) return;
            _stopped = true;
            _execution.Terminate();
        }
    }
}
