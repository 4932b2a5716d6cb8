using System.Diagnostics;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>
/// Callers of a model that returns its one number: each sends a number of its own and compares it with the answer at once. As
/// little beside the engine as can be: no clock, no copies; the batch and the place in it are kept where receipts are checked.
/// </summary>
internal sealed class EchoLoop(Served served, int callers)
{
    private static readonly TimeSpan Ramp = TimeSpan.FromMilliseconds(100);

    private readonly Caller[] _callers = [.. Enumerable.Range(0, callers).Select(index => new Caller(index))];
    private volatile bool _stopped;

    /// <summary>Answers that were not the caller's own number, or no answers, of the last window.</summary>
    public long Wrong => _callers.Sum(caller => caller.Wrong);

    /// <param name="kept">Receipts that each caller keeps of this window at most; more answers than that are an error.</param>
    public (double Rate, double CpuPerRequest) Run(TimeSpan time, int kept)
    {
        foreach (var caller in _callers) caller.Begin(kept);
        GC.Collect();
        _stopped = false;
        var running = _callers.Select(caller => Task.Run(() => CallAsync(caller))).ToArray();
        Thread.Sleep(Ramp);
        var (start, cpu, count) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, Answered());
        Thread.Sleep(time);
        var (end, cpuEnd, countEnd) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, Answered());
        _stopped = true;
        Task.WaitAll(running);
        var requests = countEnd - count;
        return (requests / Stopwatch.GetElapsedTime(start, end).TotalSeconds, (cpuEnd - cpu).TotalSeconds / Math.Max(1, requests));
    }

    /// <summary>Checks every kept receipt of the last window.</summary>
    public ReceiptCount Check(ReceiptChecker receipts)
    {
        long held = 0, failed = 0;
        Parallel.ForEach(_callers, caller =>
        {
            long good = 0;
            Span<byte> bytes = stackalloc byte[sizeof(float)];
            foreach (var (batch, row, number) in caller.Kept)
            {
                MemoryMarshal.Write(bytes, number);
                var data = bytes.ToArray();
                if (receipts.Holds(batch.Receipt(row), Models.RowSet.DigestOf(served.Inputs, [data], 1), bytes)) good++;
            }

            Interlocked.Add(ref held, good);
            Interlocked.Add(ref failed, caller.Kept.Count - good);
        });
        receipts.Forget();
        return new ReceiptCount(held, failed);
    }

    private long Answered() => _callers.Sum(caller => Volatile.Read(ref caller.Answers));

    private async Task CallAsync(Caller caller)
    {
        var request = new InferenceRequest(served.Model.Name);
        var input = new float[1];
        var (name, shape) = (served.Inputs[0].Name, new long[] { 1, 1 });
        while (!_stopped)
        {
            input[0] = caller.Next();
            request.Clear();
            request.Add<float>(name, shape, input);
            var outcome = await served.Engine.TryInferAsync(request).ConfigureAwait(false);
            if (!outcome.IsSuccess)
            {
                caller.Wrong++;
                continue;
            }

            using var result = outcome.Result;
            if (result.Values<float>(0)[0] != input[0]) caller.Wrong++;
            if (result.Batch is { } batch) caller.Kept.Add((batch, result.RowIndex, input[0]));
            caller.Answers++;
        }
    }

    private sealed class Caller(int index)
    {
        // Whole numbers up to here are exact in float32.
        private const int Numbers = 1 << 20;

        private int _number = index * 7919;

        public long Answers;
        public long Wrong;

        public List<(SealedBatch Batch, int Row, float Number)> Kept { get; } = [];

        public void Begin(int kept)
        {
            Kept.Clear();
            Kept.EnsureCapacity(kept);
            (Answers, Wrong) = (0, 0);
        }

        public float Next() => _number = (_number + 1) % Numbers;
    }
}
