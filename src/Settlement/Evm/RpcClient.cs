using System.Net;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Settlement.Evm;

/// <summary>Limits of the JSON-RPC client. Immutable.</summary>
public sealed record RpcOptions
{
    public required Uri Endpoint { get; init; }

    /// <summary>3 s: several block times of a fast chain, and short enough that a hung node is noticed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>4 MiB: a batch of receipts is kilobytes; more is a broken or hostile node.</summary>
    public int MaxResponseBytes { get; init; } = 4 << 20;

    /// <summary>For a command: 30 s, for it gives up with the first answer that does not come, where a host looks again.</summary>
    public static RpcOptions AskedOnce(Uri endpoint) => new() { Endpoint = endpoint, Timeout = TimeSpan.FromSeconds(30) };
}

/// <summary>
/// JSON-RPC 2.0 over HTTP in batches. Never retries: a read is repeated by the next tick, a write by whoever holds its
/// bytes in the journal. Never throws for what a node or network does. Safe for concurrent calls.
/// </summary>
public sealed class RpcClient(HttpClient http, RpcOptions options)
{
    private long _nextId;

    /// <summary>A client with its own connections for the life of the process.</summary>
    public static RpcClient Connect(RpcOptions options) =>
        new(new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Timeout.InfiniteTimeSpan }, options);

    /// <summary>Replies in the order of the requests.</summary>
    public async Task<RpcReply[]> CallAsync(IReadOnlyList<RpcRequest> requests, CancellationToken cancellationToken)
    {
        var firstId = Interlocked.Add(ref _nextId, requests.Count) - requests.Count;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Timeout);
        try
        {
            using var content = new ByteArrayContent(Encode(requests, firstId));
            content.Headers.ContentType = new("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, options.Endpoint) { Content = content };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.TooManyRequests)
                return All(requests, new(RpcStatus.Error, default, 429, "the node limits the rate of requests"));
            if (!response.IsSuccessStatusCode) return All(requests, RpcReply.Unknown($"HTTP {(int)response.StatusCode}"));
            var body = await ReadAsync(response, timeout.Token).ConfigureAwait(false);
            return body is null ? All(requests, RpcReply.Unknown($"more than {options.MaxResponseBytes} bytes")) : Match(requests, firstId, body);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return All(requests, RpcReply.Unknown($"no answer within {options.Timeout.TotalSeconds} s"));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException)
        {
            return All(requests, RpcReply.Unknown(failure.Message));
        }
    }

    public async Task<RpcReply> CallAsync(RpcRequest request, CancellationToken cancellationToken) =>
        (await CallAsync([request], cancellationToken).ConfigureAwait(false))[0];

    private static byte[] Encode(IReadOnlyList<RpcRequest> requests, long firstId)
    {
        var text = new StringBuilder("[");
        for (var i = 0; i < requests.Count; i++)
        {
            if (i > 0) text.Append(',');
            text.Append("{\"jsonrpc\":\"2.0\",\"id\":").Append(firstId + i).Append(",\"method\":\"").Append(requests[i].Method)
                .Append("\",\"params\":").Append(requests[i].Parameters).Append('}');
        }

        return Encoding.ASCII.GetBytes(text.Append(']').ToString());
    }

    private async Task<byte[]?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var body = new MemoryStream();
        var chunk = new byte[16 << 10];
        for (int count; (count = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if (body.Length + count > options.MaxResponseBytes) return null;
            body.Write(chunk, 0, count);
        }

        return body.ToArray();
    }

    private static RpcReply[] Match(IReadOnlyList<RpcRequest> requests, long firstId, byte[] body)
    {
        using var document = JsonDocument.Parse(body, new() { MaxDepth = 32 });
        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Object) return All(requests, WholeBatchError(root));
        if (root.ValueKind != JsonValueKind.Array) return All(requests, RpcReply.Unknown("the answer is not a JSON-RPC batch"));

        var replies = All(requests, RpcReply.Unknown("the answer lacks this request's id"));
        foreach (var item in root.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("id", out var id)) continue;
            if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt64(out var number)) continue;
            var index = number - firstId;
            if (index >= 0 && index < replies.Length) replies[index] = Reply(item);
        }

        return replies;
    }

    // A node that refuses a batch as a whole answers with one object. Whether it executed anything is not known.
    private static RpcReply WholeBatchError(JsonElement root) =>
        RpcReply.Unknown("the node answered the batch with one object: " + (Reply(root).Message ?? "no error in it"));

    private static RpcReply Reply(JsonElement item)
    {
        if (item.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
        {
            var code = error.TryGetProperty("code", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var value) ? value : 0;
            var message = error.TryGetProperty("message", out var text) ? RpcReply.TextOf(text) : null;
            var data = error.TryGetProperty("data", out var bytes) ? RpcReply.TextOf(bytes) : null;
            return new(RpcStatus.Error, default, code, message ?? "no message", data);
        }

        return item.TryGetProperty("result", out var result)
            ? new(RpcStatus.Ok, result.Clone(), 0, null)
            : RpcReply.Unknown("the answer has neither result nor error");
    }

    private static RpcReply[] All(IReadOnlyList<RpcRequest> requests, RpcReply reply)
    {
        var replies = new RpcReply[requests.Count];
        Array.Fill(replies, reply);
        return replies;
    }
}
