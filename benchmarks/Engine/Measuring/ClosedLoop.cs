using System.Diagnostics;
using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>
/// Callers that each ask again as soon as they are answered, and keep every answer for checking. Caller i asks model i modulo the
/// number of models.
/// </summary>
internal sealed class ClosedLoop
{
    private readonly Served _served;
    private readonly RowSet _rows;
    private readonly TimeSpan _ramp;
    private long _left;
    private long _refused;

    public ClosedLoop(Served served, RowSet rows, int callers)
    {
        _served = served;
        _rows = rows;
        // Every caller has been answered a few times before anything is counted.
        _ramp = TimeSpan.FromMilliseconds(50 + (callers / 20.0));
        Logs = [.. Enumerable.Range(0, callers).Select(_ => new CallerLog(served.OutputBytes))];
    }

    /// <summary>One per caller: the last window, until the next.</summary>
    public CallerLog[] Logs { get; }

    /// <summary>How long a caller sleeps before each request.</summary>
    public TimeSpan Gap { get; init; }

    /// <summary>So many requests over all callers, from the first to the last answer.</summary>
    public Window Run(long requests)
    {
        Prepare((requests * 3 / 2 / Logs.Length) + 16);
        _left = requests;
        var start = Reading.Take(_served, first: true);
        Task.WaitAll(Start());
        var end = Reading.Take(_served, first: false);
        return Until(start, end, long.MinValue, long.MaxValue);
    }

    /// <summary>Answers given within the time, after a ramp.</summary>
    /// <param name="roughRate">Per second over all callers: what logs are reserved for.</param>
    public Window Run(TimeSpan time, double roughRate)
    {
        Prepare((long)(roughRate * (time + _ramp).TotalSeconds * 3 / 2 / Logs.Length) + 16);
        _left = long.MaxValue;
        var callers = Start();
        Thread.Sleep(_ramp);
        var start = Reading.Take(_served, first: true);
        Thread.Sleep(time);
        var end = Reading.Take(_served, first: false);
        Interlocked.Exchange(ref _left, 0);
        Task.WaitAll(callers);
        return Until(start, end, start.Ticks, end.Ticks);
    }

    private void Prepare(long capacity)
    {
        foreach (var log in Logs)
        {
            log.Clear();
            log.Reserve(checked((int)capacity));
        }

        _refused = 0;
        // What the last window's checking left is not this window's to collect.
        GC.Collect();
    }

    private Task[] Start() => [.. Logs.Select((log, index) => Task.Run(() => CallAsync(log, index)))];

    private async Task CallAsync(CallerLog log, int caller)
    {
        var request = new InferenceRequest(_served.Models[caller % _served.Models.Length].Name);
        var row = caller % _rows.Count;
        while (Interlocked.Decrement(ref _left) >= 0)
        {
            if (Gap > TimeSpan.Zero) Thread.Sleep(Gap);
            request.Clear();
            _rows.AddTo(request, row);
            var start = Stopwatch.GetTimestamp();
            var outcome = await _served.Engine.TryInferAsync(request).ConfigureAwait(false);
            if (outcome.IsSuccess)
            {
                using var result = outcome.Result;
                log.Add(start, row, result);
            }
            else
            {
                Interlocked.Increment(ref _refused);
            }

            if (++row == _rows.Count) row = 0;
        }
    }

    private Window Until(in Reading start, in Reading end, long from, long to)
    {
        var latencies = new List<long>(Logs.Sum(log => log.Count));
        foreach (var log in Logs)
            foreach (ref readonly var answer in log.Answers)
                if (answer.End >= from && answer.End < to) latencies.Add(answer.End - answer.Start);
        return new Window(
            latencies.Count, Stopwatch.GetElapsedTime(start.Ticks, end.Ticks).TotalSeconds, (end.Cpu - start.Cpu).TotalSeconds,
            end.Allocated - start.Allocated, Percentiles.Of(latencies), (double)(end.Rows - start.Rows) / Math.Max(1, end.Batches - start.Batches), _refused);
    }

    private readonly record struct Reading(long Ticks, TimeSpan Cpu, long Batches, long Rows, long Allocated)
    {
        /// <param name="first">Whether a window begins: what a reading itself allocates stays outside of it.</param>
        public static Reading Take(Served served, bool first)
        {
            var allocated = first ? 0 : GC.GetTotalAllocatedBytes(precise: true);
            var (batches, rows) = (served.Batches, served.Rows);
            if (first) allocated = GC.GetTotalAllocatedBytes(precise: true);
            return new Reading(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, batches, rows, allocated);
        }
    }
}
