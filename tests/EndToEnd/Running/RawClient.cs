using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>How one request over a bare connection ended.</summary>
internal enum RawEnd
{
    /// <summary>An answer came whole.</summary>
    Answered,

    /// <summary>The connection ended without a byte of an answer, or was never taken.</summary>
    NotTaken,

    /// <summary>An answer began and did not end.</summary>
    Half,
}

/// <param name="Code">Status of a whole answer.</param>
/// <param name="Closes">Whether the answer announced the connection's end.</param>
internal sealed record RawOutcome(RawEnd End, int Code = 0, bool Closes = false, string Body = "");

/// <summary>HTTP/1.1 over a socket, so that a test sees what no client library shows: which bytes came before an end.</summary>
internal sealed partial class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>Null when nobody listens any more.</summary>
    public static async Task<RawClient?> Connect(Uri url)
    {
        var client = new RawClient();
        try
        {
            await client._socket.ConnectAsync(IPAddress.Loopback, url.Port);
            return client;
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }

    public async Task<RawOutcome> Post(string path, ReadOnlyMemory<byte> body)
    {
        var head = Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        var received = new MemoryStream();
        try
        {
            using var limit = new CancellationTokenSource(Eventually.Limit);
            byte[] request = [.. head, .. body.Span];
            for (var sent = 0; sent < request.Length;) sent += await _socket.SendAsync(request.AsMemory(sent), limit.Token);
            var chunk = new byte[16 * 1024];
            for (int read; (read = await _socket.ReceiveAsync(chunk, limit.Token)) > 0;)
            {
                received.Write(chunk, 0, read);
                if (Whole(Encoding.Latin1.GetString(received.ToArray())) is { } whole) return whole;
            }
        }
        catch (SocketException)
        {
            // A reset is an end like another; what counts is what came before it.
        }

        return new RawOutcome(received.Length == 0 ? RawEnd.NotTaken : RawEnd.Half, Body: Encoding.Latin1.GetString(received.ToArray()));
    }

    public void Dispose() => _socket.Dispose();

    private static RawOutcome? Whole(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0 || !Length().IsMatch(text[..end])) return null;
        var length = int.Parse(Length().Match(text[..end]).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        if (text.Length < end + 4 + length) return null;
        var code = int.Parse(text.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        return new RawOutcome(RawEnd.Answered, code, text[..end].Contains("Connection: close", StringComparison.OrdinalIgnoreCase), text.Substring(end + 4, length));
    }

    [GeneratedRegex(@"\r\nContent-Length: (\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex Length();
}
