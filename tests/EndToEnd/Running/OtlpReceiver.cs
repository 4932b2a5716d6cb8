using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A span as a collector sees it; ids in hexadecimal.</summary>
internal sealed record ReceivedSpan(string Trace, string Id, string Parent, string Name, IReadOnlyList<string> Attributes);

/// <summary>A collector of OTLP over HTTP that reads as much protobuf as it needs.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener _listener = new();

    public OtlpReceiver()
    {
        Url = $"http://127.0.0.1:{Ports.Free()}/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = Task.Run(Serve);
    }

    public string Url { get; }

    public ConcurrentDictionary<string, bool> Metrics { get; } = new();

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = new();

    /// <summary>Values of the header <c>X-Token</c> that came.</summary>
    public ConcurrentDictionary<string, bool> Tokens { get; } = new();

    /// <summary>Everything that came, for asking what must not be in it.</summary>
    public ConcurrentQueue<string> Everything { get; } = new();

    public void Dispose() => _listener.Close();

    private async Task Serve()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            try
            {
                await Take(context);
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
            {
                // A sender that did not wait: the next one is heard all the same.
            }
        }
    }

    private async Task Take(HttpListenerContext context)
    {
        var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        if (body.Length < context.Request.ContentLength64) throw new IOException("the sender has gone");
        Everything.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
        Tokens.TryAdd(context.Request.Headers["X-Token"] ?? "", true);
        if (context.Request.Url!.AbsolutePath == "/v1/metrics") ReadMetrics(body.ToArray());
        else if (context.Request.Url.AbsolutePath == "/v1/traces") ReadSpans(body.ToArray());
        context.Response.ContentType = "application/x-protobuf";
        context.Response.Close();
    }

    // resource_metrics = 1, scope_metrics = 2, metrics = 2, name = 1
    private void ReadMetrics(byte[] request)
    {
        foreach (var metric in Down(request, 1, 2, 2)) Metrics.TryAdd(Text(Down(metric, 1).Single()), true);
    }

    // resource_spans = 1, scope_spans = 2, spans = 2; trace_id = 1, span_id = 2, parent_span_id = 4, name = 5, attributes = 9
    private void ReadSpans(byte[] request)
    {
        foreach (var span in Down(request, 1, 2, 2))
        {
            string Id(int field) => Convert.ToHexStringLower(Down(span, field).FirstOrDefault([]));
            Spans.Enqueue(new ReceivedSpan(Id(1), Id(2), Id(4), Text(Down(span, 5).Single()), [.. Down(span, 9, 1).Select(Text)]));
        }
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static IEnumerable<byte[]> Down(byte[] message, params int[] path) =>
        Fields(message).Where(field => field.Number == path[0]).SelectMany(field => path.Length == 1 ? [field.Bytes] : Down(field.Bytes, path[1..]));

    /// <summary>The length-delimited fields of a message.</summary>
    private static List<(int Number, byte[] Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, byte[])>();
        var at = 0;
        ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = message[at++];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80) return value;
            }
        }

        while (at < message.Length)
        {
            var tag = Varint();
            switch (tag & 7)
            {
                case 0: Varint(); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                case 2:
                    var length = (int)Varint();
                    fields.Add(((int)(tag >> 3), message[at..(at + length)]));
                    at += length;
                    break;
                default: throw new InvalidDataException($"wire type {tag & 7}");
            }
        }

        return fields;
    }
}
