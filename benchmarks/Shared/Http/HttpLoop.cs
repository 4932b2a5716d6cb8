using System.Diagnostics;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One window over HTTP. CPU time of the host and of this generator, which share the cores.</summary>
internal sealed record HttpWindow(long Requests, double Seconds, double HostCpuSeconds, double ClientCpuSeconds, Percentiles Latency)
{
    public double Rate => Requests / Seconds;
}

/// <summary>A closed loop over one connection per caller.</summary>
internal sealed class HttpLoop : IDisposable
{
    private static readonly TimeSpan Ramp = TimeSpan.FromMilliseconds(100);

    // Both beyond what a host on the same cores reaches; a log that is full ends the run with an error.
    private const double MostRequestsPerSecond = 150_000;
    private const int BytesPerAnswer = 3000;

    private readonly HostProcess _host;
    private readonly HttpConnection[] _connections;
    private readonly TimeSpan _window;
    private volatile bool _stopped;

    public HttpLoop(HostProcess host, int callers, double seconds)
    {
        _host = host;
        _window = TimeSpan.FromSeconds(seconds);
        _connections = [.. Enumerable.Range(0, callers).Select(_ => new HttpConnection())];
        var capacity = (int)Math.Max(256, MostRequestsPerSecond * (_window + Ramp).TotalSeconds / callers);
        Logs = [.. _connections.Select(_ => new AnswerLog(capacity, capacity * BytesPerAnswer))];
    }

    public AnswerLog[] Logs { get; }

    public async Task ConnectAsync()
    {
        foreach (var connection in _connections) await connection.ConnectAsync(_host.Port);
    }

    /// <param name="requests">Caller i begins with request i and goes through all of them.</param>
    public HttpWindow Measure(byte[][] requests)
    {
        foreach (var log in Logs) log.Clear();
        _stopped = false;
        var callers = _connections.Select((connection, i) => Task.Run(() => CallAsync(connection, Logs[i], requests, i % requests.Length))).ToArray();
        Thread.Sleep(Ramp);
        var (start, hostCpu, ownCpu) = (Stopwatch.GetTimestamp(), _host.Cpu, Environment.CpuUsage.TotalTime);
        Thread.Sleep(_window);
        var (end, hostCpuEnd, ownCpuEnd) = (Stopwatch.GetTimestamp(), _host.Cpu, Environment.CpuUsage.TotalTime);
        _stopped = true;
        Task.WaitAll(callers);

        var latencies = new List<long>();
        foreach (var log in Logs)
            for (var i = 0; i < log.Count; i++)
                if (log[i].End >= start && log[i].End < end) latencies.Add(log[i].End - log[i].Start);
        return new HttpWindow(
            latencies.Count, Stopwatch.GetElapsedTime(start, end).TotalSeconds, (hostCpuEnd - hostCpu).TotalSeconds, (ownCpuEnd - ownCpu).TotalSeconds, Percentiles.Of(latencies));
    }

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
    }

    private async Task CallAsync(HttpConnection connection, AnswerLog log, byte[][] requests, int input)
    {
        while (!_stopped)
        {
            var start = Stopwatch.GetTimestamp();
            var body = await connection.AskAsync(requests[input]).ConfigureAwait(false);
            log.Add(start, Stopwatch.GetTimestamp(), input, body.Span);
            if (++input == requests.Length) input = 0;
        }
    }
}
