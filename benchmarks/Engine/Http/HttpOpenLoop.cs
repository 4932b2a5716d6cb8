using System.Collections.Concurrent;
using System.Diagnostics;

namespace OpenGradient.Engine.Benchmarks.Http;

/// <summary>
/// Requests over kept-alive connections at seeded Poisson times, whether or not earlier ones have been answered. Latency counts
/// from the intended time: an arrival that finds every connection taken waits, and its wait is in the figure.
/// </summary>
internal sealed class HttpOpenLoop : IDisposable
{
    // The first part of the arrivals finds cold pools and is not counted.
    private const double UncountedPart = 0.1;
    private const int BytesPerAnswer = 4096;

    private readonly HttpConnection[] _connections;
    private readonly AnswerLog[] _logs;
    private readonly BlockingCollection<int> _free = [];
    private readonly int _port;

    public HttpOpenLoop(int port, int connections, int answersEach)
    {
        _port = port;
        _connections = [.. Enumerable.Range(0, connections).Select(_ => new HttpConnection())];
        _logs = [.. _connections.Select(_ => new AnswerLog(answersEach, answersEach * BytesPerAnswer))];
    }

    public AnswerLog[] Logs => _logs;

    public async Task ConnectAsync()
    {
        foreach (var connection in _connections) await connection.ConnectAsync(_port);
    }

    /// <returns>Latency over the counted arrivals.</returns>
    public Percentiles Measure(byte[][] requests, double rate, int arrivals, int seed)
    {
        for (var i = 0; i < _connections.Length; i++) _free.Add(i);
        var random = new Random(seed);
        var latencies = new long[arrivals];
        var running = new List<Task>(arrivals);
        var due = (double)Stopwatch.GetTimestamp();
        for (var i = 0; i < arrivals; i++)
        {
            due += -Math.Log(1 - random.NextDouble()) / rate * Stopwatch.Frequency;
            // Sleeps, since a generator that spins would take one of the cores it measures; what it oversleeps is in the latency.
            while (Stopwatch.GetTimestamp() < due) Thread.Sleep(Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), (long)due) > TimeSpan.FromMilliseconds(2) ? 1 : 0);
            var connection = _free.Take();
            var (index, intended) = (i, (long)due);
            running.Add(Task.Run(() => AskAsync(connection, requests, index, intended, latencies)));
        }

        Task.WaitAll(running);
        return Percentiles.Of([.. latencies[(int)(arrivals * UncountedPart)..]]);
    }

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
        _free.Dispose();
    }

    private async Task AskAsync(int connection, byte[][] requests, int index, long due, long[] latencies)
    {
        var body = await _connections[connection].AskAsync(requests[index % requests.Length]).ConfigureAwait(false);
        var end = Stopwatch.GetTimestamp();
        latencies[index] = end - due;
        _logs[connection].Add(due, end, index % requests.Length, body.Span);
        _free.Add(connection);
    }
}
