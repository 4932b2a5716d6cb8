using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>What the proxy does with one request.</summary>
internal enum ProxyFault
{
    None,

    /// <summary>The connection is reset before the node sees the request.</summary>
    ResetBefore,

    /// <summary>The node sees it; the connection is reset instead of an answer.</summary>
    ResetAfter,

    /// <summary>The node sees it; no answer comes until the client gives up.</summary>
    HangAfter,

    /// <summary>The node sees it; half of its answer comes, then the end.</summary>
    Truncate,

    /// <summary>The node does not see it: <see cref="FaultProxy.Status"/>.</summary>
    StatusBefore,

    /// <summary>The node sees it; the answer is <see cref="FaultProxy.Status"/>.</summary>
    StatusAfter,

    /// <summary>The node does not see it: the answer is what <see cref="FaultProxy.Rewrite"/> makes of nothing.</summary>
    AnswerBefore,

    /// <summary>The node sees it; the answer is what <see cref="FaultProxy.Rewrite"/> makes of it.</summary>
    Rewrite,
}

/// <summary>A TCP proxy before a node that misbehaves as planned, and counts how often it did.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _node = new();
    private readonly Uri _address;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private int _bites;

    public FaultProxy(Uri node)
    {
        _address = node;
        _listener.Start();
        Endpoint = new Uri($"http://{_listener.LocalEndpoint}");
        _accepting = Accept();
    }

    public Uri Endpoint { get; }

    /// <summary>Asked for every request's text.</summary>
    public Func<string, ProxyFault> Plan { get; set; } = _ => ProxyFault.None;

    /// <summary>Status line without the version, for example <c>502 Bad Gateway</c>, and further header lines.</summary>
    public string Status { get; set; } = "502 Bad Gateway";

    public Func<string, string, string> Rewrite { get; set; } = (_, body) => body;

    /// <summary>Requests that were not simply passed on; a rewriting that changed nothing does not count.</summary>
    public int Bites => Volatile.Read(ref _bites);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] open;
        lock (_connections) open = [.. _connections];
        await Task.WhenAll(open);
        _node.Dispose();
        _stopping.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                lock (_connections) _connections.Add(Serve(client));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                using var stream = client.GetStream();
                while (await ReadRequest(stream) is { } request && await Answer(client, stream, request))
                {
                }
            }
            catch (Exception end) when (end is IOException or OperationCanceledException or HttpRequestException or SocketException)
            {
            }
        }
    }

    /// <summary>The request's body; null when the client is gone.</summary>
    private async Task<string?> ReadRequest(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (head.Count < 4 || !head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _stopping.Token) == 0) return null;
            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n");
        var length = lines.Single(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))[15..];
        var body = new byte[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, _stopping.Token);
        return Encoding.UTF8.GetString(body);
    }

    /// <summary>False when the connection is over.</summary>
    private async Task<bool> Answer(TcpClient client, NetworkStream stream, string request)
    {
        var fault = Plan(request);
        if (fault is not (ProxyFault.None or ProxyFault.Rewrite)) Interlocked.Increment(ref _bites);
        if (fault == ProxyFault.ResetBefore) return Reset(client);
        if (fault == ProxyFault.StatusBefore) return await Write(stream, Status, "") is 0;
        if (fault == ProxyFault.AnswerBefore)
        {
            await Write(stream, "200 OK", Rewrite(request, ""));
            return true;
        }

        using var content = new StringContent(request, Encoding.UTF8, "application/json");
        using var answered = await _node.PostAsync(_address, content, _stopping.Token);
        var body = await answered.Content.ReadAsStringAsync(_stopping.Token);
        switch (fault)
        {
            case ProxyFault.ResetAfter: return Reset(client);
            case ProxyFault.HangAfter:
                _ = await stream.ReadAsync(new byte[1], _stopping.Token); // ends when the client gives up
                return false;
            case ProxyFault.StatusAfter: return await Write(stream, Status, "") is 0;
            case ProxyFault.Truncate:
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body[..(body.Length / 2)]}"), _stopping.Token);
                return false;
            case ProxyFault.Rewrite:
                var changed = Rewrite(request, body);
                if (changed != body) Interlocked.Increment(ref _bites);
                body = changed;
                break;
        }

        await Write(stream, "200 OK", body);
        return true;
    }

    private static bool Reset(TcpClient client)
    {
        client.Client.LingerState = new LingerOption(true, 0); // closing now sends RST
        return false;
    }

    private async Task<int> Write(NetworkStream stream, string status, string body)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"), _stopping.Token);
        return 0;
    }
}
