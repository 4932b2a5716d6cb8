using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Host.Client;

/// <summary>A host's refusal, with the text it gave.</summary>
public sealed class HostRefusedException(HttpStatusCode status, string message) : Exception(message)
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>An answer as the host gave it.</summary>
/// <param name="Body">The protocol's JSON, whole.</param>
/// <param name="Receipt">Null where the host gives none.</param>
/// <param name="Released">False when the wait ran out: the answer is kept under the receipt's id.</param>
public sealed record HostAnswer(JsonDocument Body, Receipt? Receipt, string? ReceiptId, bool Released);

/// <summary>Speaks to a running host over HTTP.</summary>
public sealed class HostClient(HttpClient http) : IDisposable
{
    private const int MaxAnswer = 64 << 20;

    /// <param name="url">The host's address.</param>
    /// <param name="apiKeyFile">File whose first line is the API key, or null.</param>
    public static HostClient Connect(Uri url, string? apiKeyFile)
    {
        var http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer };
        if (apiKeyFile is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadLines(apiKeyFile).First().Trim());
        return new HostClient(http);
    }

    public async Task<bool> IsReady(CancellationToken cancellation)
    {
        try
        {
            using var response = await http.GetAsync("v2/health/ready", cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Sends one request of the Open Inference Protocol.</summary>
    /// <param name="release">A release policy's name, or null for the host's default.</param>
    public async Task<HostAnswer> Infer(string model, ReadOnlyMemory<byte> body, string? release, TimeSpan? wait, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"v2/models/{Uri.EscapeDataString(model)}/infer") { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await Ask(request, release, wait, cancellation);
    }

    /// <summary>Fetches an answer that the host has kept.</summary>
    /// <param name="release">A release policy's name to wait for, or null for the answer at once.</param>
    public async Task<HostAnswer> Fetch(string receiptId, string? release, TimeSpan? wait, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"v1/answers/{Uri.EscapeDataString(receiptId)}");
        return await Ask(request, release, wait, cancellation);
    }

    private async Task<HostAnswer> Ask(HttpRequestMessage request, string? release, TimeSpan? wait, CancellationToken cancellation)
    {
        if (release is not null) request.Headers.Add("OG-Release", release);
        if (wait is { } limit) request.Headers.Add("OG-Release-Timeout-Ms", ((long)limit.TotalMilliseconds).ToString());
        using var response = await http.SendAsync(request, cancellation);
        var answer = await Document(response, cancellation);
        return new HostAnswer(answer, ReceiptOf(answer), Header(response, "OG-Receipt-Id"), response.StatusCode != HttpStatusCode.Accepted);
    }

    /// <summary>Where a receipt stands.</summary>
    public Task<JsonDocument> Status(string receiptId, CancellationToken cancellation) => Get($"v1/receipts/{receiptId}", cancellation);

    public Task<JsonDocument> Get(string path, CancellationToken cancellation) => Send(new HttpRequestMessage(HttpMethod.Get, path), cancellation);

    /// <summary>Hands a receipt back to the host that promised it.</summary>
    public Task<JsonDocument> Submit(Receipt receipt, CancellationToken cancellation) => Send(Post("v1/receipts", receipt), cancellation);

    /// <summary>Has the host copy its data folder; asked of its operator listener.</summary>
    /// <param name="folder">Absolute, on the host's machine.</param>
    public Task<JsonDocument> BackUp(string folder, CancellationToken cancellation) =>
        Send(new HttpRequestMessage(HttpMethod.Post, "v1/backup") { Content = new StringContent($"{{\"folder\":\"{JsonEncodedText.Encode(folder)}\"}}", System.Text.Encoding.UTF8, "application/json") }, cancellation);

    /// <summary>Has the host replace its signing key; asked at its operator's listener.</summary>
    public Task<JsonDocument> Rotate(CancellationToken cancellation) => Send(new HttpRequestMessage(HttpMethod.Post, "v1/rotate"), cancellation);

    /// <summary>The receipt with its proof as far as it has grown.</summary>
    /// <param name="size"><c>newest</c> or the size of an anchored checkpoint; null for the anchor that first covered it.</param>
    public async Task<ReceiptBundle> Bundle(Receipt receipt, CancellationToken cancellation, string? size = null)
    {
        using var request = Post(size is null ? "v1/bundles" : $"v1/bundles?size={Uri.EscapeDataString(size)}", receipt);
        using var response = await http.SendAsync(request, cancellation);
        if (!response.IsSuccessStatusCode) (await Document(response, cancellation)).Dispose();
        return ReceiptBundle.Decode(await response.Content.ReadAsByteArrayAsync(cancellation));
    }

    /// <summary>The stages a receipt reaches, until it is final or quarantined.</summary>
    public async IAsyncEnumerable<JsonDocument> Stages(string receiptId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await http.GetAsync($"v1/receipts/{receiptId}/events", HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode) (await Document(response, cancellation)).Dispose();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
            if (line.StartsWith("data: ", StringComparison.Ordinal)) yield return JsonDocument.Parse(line[6..]);
    }

    /// <summary>The chunks of a streamed answer as they come, one with an error included; ends at <c>[DONE]</c>.</summary>
    /// <param name="path">For example <c>v1/chat/completions</c>.</param>
    /// <param name="release">A release policy's name that the last chunk waits for, or null.</param>
    /// <exception cref="HostRefusedException">The host refused.</exception>
    /// <exception cref="IOException">The stream was cut.</exception>
    public async IAsyncEnumerable<JsonElement> Chunks(string path, ReadOnlyMemory<byte> body, string? release, TimeSpan wait, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (release is not null) request.Headers.Add("OG-Release", release);
        if (release is not null) request.Headers.Add("OG-Release-Timeout-Ms", ((long)wait.TotalMilliseconds).ToString());
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode) (await Document(response, cancellation)).Dispose();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            if (line == "data: [DONE]") yield break;
            using var chunk = JsonDocument.Parse(line[6..]);
            yield return chunk.RootElement.Clone();
        }

        throw new IOException("the stream ended before the answer did");
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Post(string path, Receipt receipt)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(receipt.Encode()) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return request;
    }

    private async Task<JsonDocument> Send(HttpRequestMessage request, CancellationToken cancellation)
    {
        using (request)
        {
            using var response = await http.SendAsync(request, cancellation);
            return await Document(response, cancellation);
        }
    }

    private static async Task<JsonDocument> Document(HttpResponseMessage response, CancellationToken cancellation)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        try
        {
            var document = JsonDocument.Parse(bytes);
            if (response.IsSuccessStatusCode) return document;
            using (document)
                throw new HostRefusedException(response.StatusCode, ErrorText(document.RootElement));
        }
        catch (JsonException)
        {
            throw new HostRefusedException(response.StatusCode, $"the host answered {(int)response.StatusCode} without JSON");
        }
    }

    // Text in the inference protocol, an object with a message in OpenAI's API.
    internal static string ErrorText(JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("error", out var error)) return "refused";
        if (error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message)) error = message;
        return error.ValueKind == JsonValueKind.String ? error.GetString()! : "refused";
    }

    private static Receipt? ReceiptOf(JsonDocument answer) =>
        answer.RootElement.TryGetProperty("parameters", out var parameters) && parameters.TryGetProperty("og_receipt", out var receipt)
            ? Receipt.Decode(receipt.GetBytesFromBase64())
            : null;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
