using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>Callers over HTTP: arrivals at a rate with every release policy, and holders who hand their promises in.</summary>
internal sealed class Callers : IDisposable
{
    private const int MostInFlight = 256;

    private static readonly string[] Order = ["executed", "durable", "verified", "anchored", "final"];

    // Half of them want to know at once or as soon as it is safe; the rest wait longer, some in vain.
    private static readonly string[] Policies = ["fast", "fast", "fast", "durable", "durable", "durable", "durable", "verified", "anchored", "final"];

    private readonly HttpClient _http;
    private readonly ReceiptBook _book;
    private readonly Random _random;
    private int _inFlight;

    public Callers(Uri host, ReceiptBook book, int seed)
    {
        (_book, _random) = (book, new Random(seed));
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromSeconds(20) }) { BaseAddress = host, Timeout = TimeSpan.FromSeconds(45) };
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Requests until cancelled, then waits for those in flight.</summary>
    public async Task RunAsync(double rate, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var pause = TimeSpan.FromSeconds(Math.Min(5, -Math.Log(1 - _random.NextDouble()) / rate));
            await Task.Delay(pause, CancellationToken.None);
            if (Volatile.Read(ref _inFlight) >= MostInFlight) continue;
            Interlocked.Increment(ref _inFlight);
            _ = OneAsync(Body(), Policies[_random.Next(Policies.Length)]);
        }

        while (Volatile.Read(ref _inFlight) > 0) await Task.Delay(20, CancellationToken.None);
    }

    /// <summary>Hands promises in until cancelled and none is left.</summary>
    public async Task KeepPromisesAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested || _book.OpenPromises > 0)
        {
            if (!_book.TryTakePromise(out var receipt))
            {
                await Task.Delay(50, CancellationToken.None);
                continue;
            }

            if (!await SubmitAsync(receipt))
            {
                _book.PutBack(receipt);
                await Task.Delay(100, CancellationToken.None);
            }
        }
    }

    /// <summary>A receipt as the host knows it: its stage and statement. Null when it does not know it.</summary>
    /// <exception cref="HttpRequestException">The host is away.</exception>
    public async Task<(string Stage, Hash256 Statement)?> FindAsync(ReceiptId id)
    {
        using var answer = await _http.GetAsync($"v1/receipts/{id}");
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        answer.EnsureSuccessStatusCode();
        using var json = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
        return (json.RootElement.GetProperty("stage").GetString()!, Hash256.Parse(json.RootElement.GetProperty("statement").GetString()!));
    }

    public async Task<byte[]> BundleAsync(byte[] receipt)
    {
        using var answer = await _http.PostAsync("v1/bundles", new ByteArrayContent(receipt));
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>A number of the overview's, by path.</summary>
    public async Task<long> OverviewNumberAsync(string section, string name)
    {
        using var overview = JsonDocument.Parse(await _http.GetByteArrayAsync("v1/overview"));
        return overview.RootElement.GetProperty(section).GetProperty(name).GetInt64();
    }

    private byte[] Body()
    {
        var pixels = string.Join(',', Enumerable.Range(0, 64).Select(_ => _random.Next(17)));
        return Encoding.ASCII.GetBytes($"{{\"inputs\":[{{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":[1,64],\"data\":[{pixels}]}}]}}");
    }

    private async Task OneAsync(byte[] body, string policy)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/digits/infer")
            {
                Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            };
            request.Headers.Add("OG-Release", policy);
            request.Headers.Add("OG-Release-Timeout-Ms", "8000");
            using var answer = await _http.SendAsync(request);
            await TakeAsync(answer, policy);
        }
        catch (Exception away) when (away is HttpRequestException or IOException or TaskCanceledException)
        {
            _book.WasCut();
        }
#pragma warning disable CA1031 // A caller that fails in a way nobody thought of must not go unnoticed.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            _book.Violation($"a caller failed: {unexpected}");
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task TakeAsync(HttpResponseMessage answer, string policy)
    {
        if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            _book.WasTurnedAway();
            // What it says beside: a promise that reached a stage was acknowledged by naming it.
            if (IdOf(answer) is { } named && Array.IndexOf(Order, StageOf(answer)) > 0) _book.Acknowledge(named, null);
            return;
        }

        var text = await answer.Content.ReadAsByteArrayAsync();
        var (id, stage) = (IdOf(answer), StageOf(answer));
        if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Accepted) || id is null)
        {
            _book.Violation($"release '{policy}' was answered with {(int)answer.StatusCode}: {Encoding.UTF8.GetString(text)}");
            return;
        }

        // A reorganisation may undo an anchor between the release and the header's look; what is verified stays verified.
        var (reached, wanted) = (stage == "reopened" ? 2 : Array.IndexOf(Order, stage), policy == "fast" ? 0 : Array.IndexOf(Order, policy));
        if (answer.StatusCode == HttpStatusCode.OK && reached < Math.Min(wanted, 2)) _book.Violation($"release '{policy}' was answered with 200 at stage '{stage}'");

        var receipt = answer.StatusCode == HttpStatusCode.OK ? ReceiptOf(text) : await FetchAsync(id.Value);
        if (receipt is not null && Receipt.Decode(receipt).Id != id) _book.Violation($"receipt {id} came with the bytes of another one");
        if (reached > 0) _book.Acknowledge(id.Value, receipt);
        else if (receipt is not null) _book.Promise(receipt);
    }

    /// <summary>An answer whose wait ran out; null when the host died meanwhile, which loses kept answers.</summary>
    private async Task<byte[]?> FetchAsync(ReceiptId id)
    {
        try
        {
            using var answer = await _http.GetAsync($"v1/answers/{id}");
            return answer.IsSuccessStatusCode ? ReceiptOf(await answer.Content.ReadAsByteArrayAsync()) : null;
        }
        catch (Exception away) when (away is HttpRequestException or IOException or TaskCanceledException)
        {
            return null;
        }
    }

    private async Task<bool> SubmitAsync(byte[] receipt)
    {
        try
        {
            using var answer = await _http.PostAsync("v1/receipts", new ByteArrayContent(receipt));
            if (answer.IsSuccessStatusCode)
            {
                _book.PromiseKept(receipt);
                return true;
            }

            if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests) return false;
            _book.Violation($"a promise was refused with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
            return true;
        }
        catch (Exception away) when (away is HttpRequestException or IOException or TaskCanceledException)
        {
            return false;
        }
    }

    private static byte[] ReceiptOf(byte[] json)
    {
        using var answer = JsonDocument.Parse(json);
        return answer.RootElement.GetProperty("parameters").GetProperty("og_receipt").GetBytesFromBase64();
    }

    private static ReceiptId? IdOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("OG-Receipt-Id", out var values) && ReceiptId.TryParse(values.First(), out var id) ? id : null;

    private static string? StageOf(HttpResponseMessage answer) => answer.Headers.TryGetValues("OG-Stage", out var values) ? values.First() : null;
}
