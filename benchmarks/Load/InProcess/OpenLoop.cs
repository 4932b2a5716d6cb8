using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>
/// Requests at seeded Poisson times, whether or not earlier ones have been answered. Latency counts from the intended time, so
/// that a generator or an engine that falls behind shows in it (coordinated omission hides nothing).
/// </summary>
internal sealed partial class OpenLoop : IDisposable
{
    // The first part of the arrivals finds cold pools and is not counted.
    private const double UncountedPart = 0.1;

    // As many as the engine's queue takes; beyond it an arrival waits for an answer, and its latency grows.
    private const int Slots = 4096;

    private readonly EngineUnderTest _engine;
    private readonly InputSet _inputs;
    private readonly double _rate;
    private readonly int _arrivals;
    private readonly Random _random;
    private readonly ConcurrentQueue<Slot> _free = new();
    private readonly CountdownEvent _open;
    private long _refused;

    public OpenLoop(EngineUnderTest engine, InputSet inputs, double rate, double seconds, int seed)
    {
        _engine = engine;
        _inputs = inputs;
        _rate = rate;
        _arrivals = (int)(rate * seconds / (1 - UncountedPart));
        _random = new Random(seed);
        _open = new CountdownEvent(_arrivals);
        Log = new SampleLog(_arrivals, engine.OutputBytes);
        for (var i = 0; i < Math.Min(Slots, _arrivals); i++) _free.Enqueue(new Slot(this));
    }

    public SampleLog Log { get; }

    /// <summary>Arrivals that the engine refused or failed.</summary>
    public long Refused => Volatile.Read(ref _refused);

    public EngineWindow Measure()
    {
        var first = (int)(_arrivals * UncountedPart);
        Meter start = default;
        var due = (double)Stopwatch.GetTimestamp();
        for (var i = 0; i < _arrivals; i++)
        {
            if (i == first) start = Meter.Read(_engine);
            due += -Math.Log(1 - _random.NextDouble()) / _rate * Stopwatch.Frequency;
            WaitUntil((long)due);
            Slot? slot;
            while (!_free.TryDequeue(out slot)) Sleep(50);
            slot.Send(i, (long)due);
        }

        _open.Wait();
        var end = Meter.Read(_engine);
        Log.Fill(_arrivals);
        var latencies = new List<long>(_arrivals - first);
        foreach (ref readonly var sample in Log.Samples[first..])
            if (sample.End != 0) latencies.Add(sample.End - sample.Start);
        return start.Until(end, Percentiles.Of(latencies), latencies.Count);
    }

    public void Dispose() => _open.Dispose();

    private static void WaitUntil(long due)
    {
        // Sleeps, since a generator that spins would take one of the cores it measures; the kernel's slack (50 µs) is in the latency.
        for (long left; (left = due - Stopwatch.GetTimestamp()) > 0;)
            Sleep((uint)Math.Min(Stopwatch.GetElapsedTime(0, left).TotalMicroseconds, 500_000));
    }

    private static void Sleep(uint microseconds) => _ = MicroSleep(Math.Max(1, microseconds));

    // .NET's own shortest sleep is a millisecond.
    [LibraryImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MicroSleep(uint microseconds);

    /// <summary>One request in flight, reused.</summary>
    private sealed class Slot
    {
        private readonly OpenLoop _loop;
        private readonly InferenceRequest _request;
        private readonly Action _answered;
        private System.Runtime.CompilerServices.ValueTaskAwaiter<InferenceOutcome> _awaiter;
        private int _index;
        private int _input;
        private long _due;

        public Slot(OpenLoop loop)
        {
            _loop = loop;
            _request = new InferenceRequest(loop._engine.Model.Name);
            _answered = Answered;
        }

        public void Send(int index, long due)
        {
            (_index, _due, _input) = (index, due, index % _loop._inputs.Count);
            _request.Clear();
            _request.Add<float>(_loop._inputs.Name, _loop._inputs.Shape, _loop._inputs.Values[_input]);
#pragma warning disable CA2012 // Consumed once, in Answered; an async method would allocate per request.
            _awaiter = _loop._engine.Engine.TryInferAsync(_request).GetAwaiter();
#pragma warning restore CA2012
            if (_awaiter.IsCompleted) Answered();
            else _awaiter.UnsafeOnCompleted(_answered);
        }

        private void Answered()
        {
            var outcome = _awaiter.GetResult();
            if (outcome.IsSuccess)
            {
                using var result = outcome.Result;
                _loop.Log.Set(_index, _due, _input, result);
            }
            else
            {
                Interlocked.Increment(ref _loop._refused);
            }

            _loop._free.Enqueue(this);
            _loop._open.Signal();
        }
    }
}
