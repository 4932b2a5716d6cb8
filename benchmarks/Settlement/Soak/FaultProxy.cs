using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>
/// Stands between host and node on a TCP port of its own, passes JSON-RPC on, and misbehaves as its seed says. Calls that send a
/// transaction are hit more often, because there are fewer of them and they are what must not happen twice.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private const double PartOfReads = 0.06, PartOfSends = 0.3;
    private const int LongestRequest = 4 << 20;

    // Hanging holds the settler up for its whole time-out: rarer than the rest.
    private static readonly Fault[] Kinds =
    [
        Fault.AnswerDropped, Fault.AnswerDropped, Fault.TooManyRequests, Fault.TooManyRequests, Fault.RefusedBy502, Fault.ErrorAfterTheNodeAccepted,
        Fault.ErrorAfterTheNodeAccepted, Fault.Rubbish, Fault.AnswerCutOff, Fault.AnswerLate, Fault.AnswerAfterTheTimeout,
    ];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly HttpClient _node = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly CancellationTokenSource _stopping = new();
    private readonly Uri _upstream;
    private readonly FaultTally _tally;
    private readonly Random _random;
    private readonly Task _accepting;
    private volatile bool _misbehaves;
    private volatile bool _silent;
    private long _refused, _unreachable, _underfunded;

    public FaultProxy(Uri upstream, FaultTally tally, int seed)
    {
        (_upstream, _tally, _random) = (upstream, tally, new Random(seed));
        _listener.Start();
        _accepting = Task.Run(AcceptAsync);
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>Whether calls are hit at random.</summary>
    public bool Misbehaves { get => _misbehaves; set => _misbehaves = value; }

    /// <summary>Whether every connection is refused.</summary>
    public bool Silent { get => _silent; set => _silent = value; }

    /// <summary>Calls refused while silent.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Calls that the node itself did not answer.</summary>
    public long Unreachable => Volatile.Read(ref _unreachable);

    /// <summary>Answers in which the node said that the account cannot pay.</summary>
    public long Underfunded => Volatile.Read(ref _underfunded);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _node.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptSocketAsync(_stopping.Token).ConfigureAwait(false);
                _ = ServeAsync(socket);
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                if (_stopping.IsCancellationRequested) return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            while (await ReadAsync(stream).ConfigureAwait(false) is { } request)
                if (!await AnswerAsync(socket, stream, request).ConfigureAwait(false)) return;
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException or ObjectDisposedException or FormatException)
        {
            // The client went away, or the soak ends.
        }
    }

    /// <summary>False: the connection is done with.</summary>
    private async Task<bool> AnswerAsync(Socket socket, NetworkStream stream, byte[] request)
    {
        if (_silent)
        {
            Interlocked.Increment(ref _refused);
            Reset(socket);
            return false;
        }

        var fault = Draw(request);
        if (fault is { } kind) _tally.Add(kind, bit: true);
        if (fault == Fault.TooManyRequests) return await WriteAsync(stream, "429 Too Many Requests", "slow down"u8.ToArray()).ConfigureAwait(false);
        if (fault == Fault.RefusedBy502) return await WriteAsync(stream, "502 Bad Gateway", "no"u8.ToArray()).ConfigureAwait(false);
        if (fault == Fault.Rubbish) return await WriteAsync(stream, "200 OK", Garbage()).ConfigureAwait(false);

        if (await ForwardAsync(request).ConfigureAwait(false) is not { } answer)
        {
            Interlocked.Increment(ref _unreachable);
            Reset(socket);
            return false;
        }

        switch (fault)
        {
            case Fault.AnswerDropped:
                Reset(socket);
                return false;
            case Fault.ErrorAfterTheNodeAccepted:
                return await WriteAsync(stream, "503 Service Unavailable", "try later"u8.ToArray()).ConfigureAwait(false);
            case Fault.AnswerCutOff:
                await WriteAsync(stream, "200 OK", answer, answer.Length / 2).ConfigureAwait(false);
                return false;
            case Fault.AnswerAfterTheTimeout:
                // The client's time-out is 3 s.
                await Task.Delay(TimeSpan.FromSeconds(4), _stopping.Token).ConfigureAwait(false);
                break;
            case Fault.AnswerLate:
                await Task.Delay(TimeSpan.FromMilliseconds(Next(200, 2500)), _stopping.Token).ConfigureAwait(false);
                break;
        }

        return await WriteAsync(stream, "200 OK", answer).ConfigureAwait(false);
    }

    private Fault? Draw(byte[] request)
    {
        if (!_misbehaves) return null;
        var part = request.AsSpan().IndexOf("eth_sendRawTransaction"u8) >= 0 ? PartOfSends : PartOfReads;
        lock (_random) return _random.NextDouble() < part ? Kinds[_random.Next(Kinds.Length)] : null;
    }

    private byte[] Garbage()
    {
        string[] all = ["<html>proxy error</html>", "[{\"jsonrpc\":\"2.0\",\"id\":", "{}", "[]", "null", "[{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"0x\"}]", "\0\0\0\0"];
        return Encoding.ASCII.GetBytes(all[Next(0, all.Length)]);
    }

    private int Next(int least, int below)
    {
        lock (_random) return _random.Next(least, below);
    }

    private async Task<byte[]?> ForwardAsync(byte[] request)
    {
        try
        {
            using var content = new ByteArrayContent(request) { Headers = { ContentType = new("application/json") } };
            using var response = await _node.PostAsync(_upstream, content, _stopping.Token).ConfigureAwait(false);
            var answer = await response.Content.ReadAsByteArrayAsync(_stopping.Token).ConfigureAwait(false);
            if (answer.AsSpan().IndexOf("nsufficient funds"u8) >= 0) Interlocked.Increment(ref _underfunded);
            return answer;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is TaskCanceledException && !_stopping.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>A request's body; null at the connection's end.</summary>
    private async Task<byte[]?> ReadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        // Byte by byte: heads are short, and nothing behind them may be taken away.
        while (head.Count < 4 || !(head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n'))
        {
            if (await stream.ReadAsync(one, _stopping.Token).ConfigureAwait(false) == 0) return null;
            head.Add(one[0]);
            if (head.Count > 16 * 1024) throw new FormatException("the request's head is too long");
        }

        var length = Encoding.ASCII.GetString([.. head]).Split("\r\n")
            .Where(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            .Select(line => int.Parse(line[15..].Trim(), System.Globalization.CultureInfo.InvariantCulture)).FirstOrDefault(-1);
        if (length is < 0 or > LongestRequest) throw new FormatException("a request needs a Content-Length");
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, _stopping.Token).ConfigureAwait(false);
        return body;
    }

    /// <summary>Always true, so that the caller can return it.</summary>
    private async Task<bool> WriteAsync(NetworkStream stream, string status, byte[] body, int? upTo = null)
    {
        var head = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        await stream.WriteAsync((byte[])[.. head, .. body.AsSpan(0, upTo ?? body.Length)], _stopping.Token).ConfigureAwait(false);
        return true;
    }

    // A close that the other side sees as a reset.
    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }
}
