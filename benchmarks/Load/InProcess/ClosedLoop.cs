using System.Diagnostics;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>Callers that each ask again as soon as they are answered. Its memory is allocated once and used by every window.</summary>
internal sealed class ClosedLoop
{
    // Pools are full and the caller's code is compiled before anything is counted.
    private static readonly TimeSpan Ramp = TimeSpan.FromMilliseconds(50);

    // Per second and over all callers; no machine that this runs on reaches it. A log that is full ends the run with an error.
    private const double MostRequestsPerSecond = 1_500_000;

    private readonly EngineUnderTest _engine;
    private readonly InputSet _inputs;
    private readonly TimeSpan _window;
    private volatile bool _stopped;

    public ClosedLoop(EngineUnderTest engine, InputSet inputs, LoadOptions options)
    {
        _engine = engine;
        _inputs = inputs;
        _window = TimeSpan.FromSeconds(options.Seconds);
        var capacity = (int)Math.Clamp(MostRequestsPerSecond * (_window + Ramp).TotalSeconds / options.Callers, 256, 1_000_000);
        Logs = [.. Enumerable.Range(0, options.Callers).Select(_ => new SampleLog(capacity, engine.OutputBytes))];
    }

    /// <summary>One per caller; what the last window left, until <see cref="Clear"/>.</summary>
    public SampleLog[] Logs { get; }

    public EngineWindow Measure()
    {
        _stopped = false;
        var callers = Logs.Select((log, index) => Task.Run(() => CallAsync(log, index))).ToArray();
        Thread.Sleep(Ramp);
        var start = Meter.Read(_engine);
        Thread.Sleep(_window);
        var end = Meter.Read(_engine);
        _stopped = true;
        Task.WaitAll(callers);

        var latencies = new List<long>(Logs.Sum(log => log.Count));
        foreach (var log in Logs)
            foreach (ref readonly var sample in log.Samples)
                if (sample.End >= start.Ticks && sample.End < end.Ticks) latencies.Add(sample.End - sample.Start);
        return start.Until(end, Percentiles.Of(latencies), latencies.Count);
    }

    public void Clear()
    {
        foreach (var log in Logs) log.Clear();
    }

    private async Task CallAsync(SampleLog log, int caller)
    {
        var request = new InferenceRequest(_engine.Model.Name);
        var input = caller % _inputs.Count;
        while (!_stopped)
        {
            if (log.IsFull) throw new InvalidOperationException("a caller's log is full; use a shorter window");
            request.Clear();
            request.Add<float>(_inputs.Name, _inputs.Shape, _inputs.Values[input]);
            var start = Stopwatch.GetTimestamp();
            using (var result = await _engine.Engine.InferAsync(request).ConfigureAwait(false)) log.Add(start, input, result);
            if (++input == _inputs.Count) input = 0;
        }
    }
}
