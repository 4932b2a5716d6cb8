using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>
/// One kept-alive HTTP/1.1 connection with one request at a time. As little as can be, because it takes its processor time from
/// the host it measures: answers must have a Content-Length.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];

    public async Task ConnectAsync(int port) => await _socket.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);

    /// <summary>Sends a whole request and returns the answer's body, valid until the next call.</summary>
    /// <exception cref="IOException">The answer is not 200, or not understood.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> AskAsync(ReadOnlyMemory<byte> request)
    {
        await _socket.SendAsync(request).ConfigureAwait(false);
        int received = 0, head = 0, total = int.MaxValue;
        while (received < total)
        {
            var count = await _socket.ReceiveAsync(_buffer.AsMemory(received)).ConfigureAwait(false);
            if (count == 0) throw new IOException("the host closed the connection");
            received += count;
            if (head != 0 || (head = HeadLength(_buffer.AsSpan(0, received))) == 0) continue;
            total = head + BodyLength(_buffer.AsSpan(0, head));
            if (total > _buffer.Length) throw new IOException($"the host's answer is longer than {_buffer.Length} bytes");
        }

        return _buffer.AsMemory(head, total - head);
    }

    public void Dispose() => _socket.Dispose();

    /// <param name="jsonLength">With binary tensors: how much of the body is JSON.</param>
    public static byte[] Request(string method, string path, int port, ReadOnlySpan<byte> body, int? jsonLength = null)
    {
        var head = $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n";
        if (method == "POST") head += $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n";
        if (jsonLength is { } length) head += $"Inference-Header-Content-Length: {length}\r\n";
        return [.. System.Text.Encoding.ASCII.GetBytes(head + "\r\n"), .. body];
    }

    private static int HeadLength(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        return end < 0 ? 0 : end + 4;
    }

    private static int BodyLength(ReadOnlySpan<byte> head)
    {
        if (!head.StartsWith("HTTP/1.1 200"u8)) throw new IOException($"the host answered {System.Text.Encoding.ASCII.GetString(head[..head.IndexOf("\r\n"u8)])}");
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _) ? length : throw new IOException("the host's answer has no Content-Length");
    }
}
