using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Settlement.Gap;

/// <summary>A receipt as its caller got it.</summary>
/// <param name="AnswerMs">From the intended arrival to the answer.</param>
internal readonly record struct Answered(SealedBatch Batch, int Row, double AnswerMs);

/// <summary>Poisson arrivals at a fixed rate that do not wait for answers; latency counts from the intended arrival, so a system that falls behind shows in it.</summary>
internal sealed partial class OpenArrivals(InferenceEngine engine, string model, string input, int seed)
{
    private static readonly long[] Shape = [1, 1];

    private readonly ConcurrentBag<InferenceRequest> _requests = [];
    private readonly ConcurrentBag<Answered> _answered = [];
    private readonly Random _random = new(seed);
    private long _refused;

    public IReadOnlyCollection<Answered> Answers => _answered;

    /// <summary>Arrivals that were refused or failed.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Blocks the calling thread, which should be nobody else's, until every arrival is answered.</summary>
    public void Run(double rate, TimeSpan time)
    {
        var arrivals = (int)(rate * time.TotalSeconds);
        using var open = new CountdownEvent(arrivals);
        var due = (double)Stopwatch.GetTimestamp();
        for (var i = 0; i < arrivals; i++)
        {
            due += -Math.Log(1 - _random.NextDouble()) / rate * Stopwatch.Frequency;
            // Sleeps, since a generator that spins would take one of the cores it measures; the kernel's slack (50 us) is in the latency.
            for (long left; (left = (long)due - Stopwatch.GetTimestamp()) > 0;)
                _ = MicroSleep((uint)Math.Clamp(Stopwatch.GetElapsedTime(0, left).TotalMicroseconds, 1, 500_000));
            var number = i;
            var at = (long)due;
            _ = AskAsync(number, at, open);
        }

        open.Wait();
    }

    private async Task AskAsync(int number, long due, CountdownEvent open)
    {
        if (!_requests.TryTake(out var request)) request = new InferenceRequest(model);
        try
        {
            request.Clear();
            request.Add<float>(input, Shape, new float[] { number });
            var outcome = await engine.TryInferAsync(request).ConfigureAwait(false);
            if (!outcome.IsSuccess)
            {
                Interlocked.Increment(ref _refused);
                return;
            }

            using var result = outcome.Result;
            // The model returns its one number: anything else is somebody else's answer.
            if (result.Values<float>(0)[0] != number || result.Batch is null) Interlocked.Increment(ref _refused);
            else _answered.Add(new Answered(result.Batch, result.RowIndex, Stopwatch.GetElapsedTime(due).TotalMilliseconds));
        }
        finally
        {
            _requests.Add(request);
            open.Signal();
        }
    }

    // .NET's own shortest sleep is a millisecond.
    [LibraryImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MicroSleep(uint microseconds);
}
